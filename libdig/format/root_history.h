// The sequence of roots in .dig/roots: a record for each generation.  The file is replaced by a
// rename.
#ifndef DIG_ROOT_HISTORY_H
#define DIG_ROOT_HISTORY_H

#include <memory>

#include "libdig/format/layer_format.h"

namespace dig {

// Copies are cheap: they share the records, which never change.
class RootHistory {
public:
	struct Record {
		Digest layer_id;
		Digest root;
	};
	static_assert(sizeof(Record) == 64);

	static RootHistory decode(Bytes file, std::string_view name);
	Buffer encoded() const;

	std::uint64_t size() const { return records_->size(); }
	// Generations count from 1.
	const Record &at(std::uint64_t generation) const { return records_->at(generation - 1); }
	// Zeros before the first generation.
	Digest tip_root() const { return records_->empty() ? Digest() : records_->back().root; }
	// The number of digits that tell all of these roots apart, but at least 12.
	std::size_t unique_digits() const;
	std::optional<std::uint64_t> find_layer(const Digest &layer_id) const;

	// The peaks of all layer ids, for the next generation.  Hashes all of them.
	MerklePeaks peaks() const;
	// Adds a generation, whose root follows from its layer and from the peaks of those before.
	void append(const Digest &layer_id, MerklePeaks peaks_before);

private:
	std::shared_ptr<const std::vector<Record>> records_ = std::make_shared<std::vector<Record>>();
};

} // namespace dig

#endif
