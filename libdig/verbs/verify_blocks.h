// Whether the blocks of layers hold what their records say.
#ifndef DIG_VERIFY_BLOCKS_H
#define DIG_VERIFY_BLOCKS_H

#include <optional>
#include <span>
#include <vector>

#include "libdig/staging/item_set.h"
#include "libdig/store/store.h"
#include "libdig/verbs/findings.h"

namespace dig {

class BlockVerifier {
public:
	BlockVerifier(Store &store, Findings &findings, Work &work) : store_(store), findings_(findings), work_(work) {}

	struct Outcome {
		std::uint32_t end = 0;              // the number behind the last block that was looked at
		std::uint64_t bytes = 0;            // of blocks
		std::vector<std::uint32_t> damaged; // blocks
	};
	// Of the layer that the items of generation home are in.  By several threads: each takes the next block.
	Outcome check(const Layer &layer, std::uint64_t home, const Layer::BlockRange &range);
	// Whether it is known to be damaged in every copy.
	bool is_lost(ItemKind kind, const Digest &digest) { return lost_ && lost_->contains(kind, digest); }

private:
	void carry(const Layer &layer);
	bool is_good(ItemKind kind, const Digest &digest, const ItemPlace &place);
	void take_damage(const Layer &layer, std::uint64_t home, std::uint32_t block, std::span<const ChunkRecord> items,
		const std::string &problem);
	void note_if_lost(ItemKind kind, const Digest &digest);

	Store &store_;
	Findings &findings_;
	Work &work_;
	std::optional<ItemSet> lost_; // made when there is something
};

} // namespace dig

#endif
