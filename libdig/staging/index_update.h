// Changes of the index: collected in any order and number, and put over it at once.
#ifndef DIG_INDEX_UPDATE_H
#define DIG_INDEX_UPDATE_H

#include <memory>

#include "libdig/staging/index.h"

namespace dig {

// Collects records in any order, in bounded memory, and makes them part of the index.
class IndexUpdate {
public:
	explicit IndexUpdate(std::string directory);
	~IndexUpdate();
	IndexUpdate(IndexUpdate &&) noexcept;
	IndexUpdate &operator=(IndexUpdate &&) noexcept;

	// A later record of a path replaces an earlier one, and removes what cannot stand beside it: files
	// where it has directories, and all below it.  A record that was not staged yet is given its
	// sequence by publish().
	static constexpr std::uint64_t new_sequence = ~std::uint64_t(0);
	void put(const IndexRecord &record);
	bool is_empty() const;
	// After publish(): of all that was put, what something put later took the place of that was not its own:
	// a file where a path needs a directory, or what lies below a file.
	struct Displaced {
		std::uint64_t count = 0;
		std::string first; // path of one
	};
	const Displaced &displaced() const { return displaced_; }
	// What is put is all that the index is to hold: everything else is removed.
	void replace_all() { replaces_all_ = true; }

	// Merges what was put into the index as it is now and makes it visible, with a state that
	// change() may edit.  Where it cannot stand beside something there, what is staged stays, the newer
	// one of two.  Under staging/lock.  One sync, of the file; the caller syncs the directory.
	void publish(const std::function<void(IndexState &)> &change);

private:
	struct Spool;
	class Displacement;
	void write_all_out();
	std::string directory_;
	std::unique_ptr<Spool> spool_;
	bool replaces_all_ = false;
	Displaced displaced_;
};

} // namespace dig

#endif
