// The sequence of roots: .dig/roots, one record a generation, replaced by rename.
#ifndef DIG_ROOT_HISTORY_H
#define DIG_ROOT_HISTORY_H

#include <memory>

#include "libdig/format/layer_format.h"

namespace dig {

// A copy costs nothing: it shares its records, which do not change.
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
	// So many digits of a root name it among all of these: 12, or more where they must be.
	std::size_t unique_digits() const;
	std::optional<std::uint64_t> find_layer(const Digest &layer_id) const;

	// The peaks of all layer ids, for the next generation.  Hashes all of them.
	MerklePeaks peaks() const;
	// A generation more, whose root follows from the peaks of those before.
	void append(const Digest &layer_id, MerklePeaks peaks_before);

private:
	std::shared_ptr<const std::vector<Record>> records_ = std::make_shared<std::vector<Record>>();
};

} // namespace dig

#endif
