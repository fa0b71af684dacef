// The sequence of roots in .dig/roots: a record for each generation.  The file is replaced by a
// rename.
#ifndef DIG_ROOT_HISTORY_H
#define DIG_ROOT_HISTORY_H

#include <memory>

#include "libdig/format/layer_format.h"

namespace dig {

constexpr std::size_t max_roots_size = 1_GiB; // 16 million generations

// Copies are cheap: they share the records, which never change.
class RootHistory {
public:
	struct Record {
		Digest layer_id;
		Digest root;
	};
	static_assert(sizeof(Record) == 64);

	static RootHistory decode(Buffer file, std::string_view name);
	Buffer encoded() const;

	// What a damaged file still says.  Nothing of it is checked.
	struct Remains {
		std::vector<Record> records;
		bool is_whole = false; // the file is as long as its count says
	};
	static Remains salvage(Bytes file);
	// Each root is what its layer and those before it lead to.
	bool is_consistent() const;

	std::uint64_t size() const { return records_.size(); }
	// Generations count from 1.
	const Record &at(std::uint64_t generation) const;
	// Zeros before the first generation.
	Digest tip_root() const { return records_.empty() ? Digest() : records_.back().root; }
	// Only if there is a generation.
	const Digest &tip_layer() const { return records_.back().layer_id; }
	// The number of digits that tell all of these roots apart, but at least 12.
	std::size_t unique_digits() const;
	std::optional<std::uint64_t> find_layer(const Digest &layer_id) const;

	// The peaks of all layer ids, for the next generation.  Hashes all of them.
	MerklePeaks peaks() const;
	// Adds a generation, whose root follows from its layer and from the peaks of those before.  Copies
	// the records.
	void append(const Digest &layer_id, MerklePeaks peaks_before);
	static RootHistory of(std::vector<Record> records);

private:
	std::shared_ptr<const Buffer> file_;
	std::span<const Record> records_; // in it
};

} // namespace dig

#endif
