// The layer files that dig gc has taken out of a store.  They stay in dropped/ until the next gc, for
// dig gc --undo, and for what is staged and relies on them.
#ifndef DIG_DROPPED_FILES_H
#define DIG_DROPPED_FILES_H

#include "libdig/format/layer_table.h"
#include "libdig/staging/staging.h"

namespace dig {

class DroppedFiles {
public:
	explicit DroppedFiles(const StorePaths &paths) : paths_(paths) {}

	// The layer table as it was before, and the number of generations then; nothing if nothing can be undone,
	// or if the note of it is damaged.
	struct Before {
		LayerTable table;
		std::uint64_t generations = 0;
	};
	std::optional<Before> before() const;
	// Makes the note of it, before anything is taken out; durable.
	void begin(const Before &before) const;
	// Takes a file of layers/ out of the store, or puts it back.  sync() makes it durable.
	void take_out(const std::string &name) const;
	// The same for a file that cannot be opened, but to damaged/, where it stays until a person removes it.
	void set_aside(const std::string &name) const;
	void put_back(const std::string &name) const;
	void sync() const;
	std::vector<std::string> names() const;
	std::uint64_t bytes() const;
	bool is_empty() const { return !find_stat(paths_.dropped()) || names().empty(); }
	// Nothing can be undone any more; the files stay.
	void forget() const;
	// Removes all of it for good.
	void remove() const;

private:
	std::string note() const { return paths_.dropped() + "/before"; }
	const StorePaths &paths_;
};

// What is staged and lies only in dropped files comes into the pack.  Under the store's lock.  Error when
// something is nowhere.
void rescue_staged(Store &store, StagingWriter &writer);

} // namespace dig

#endif
