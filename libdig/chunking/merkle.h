// The Merkle tree hash of RFC 9162, section 2.1.1: a leaf is H(0x00 ‖ leaf), a node
// H(0x01 ‖ left ‖ right), an odd node goes up as it is, and the tree of nothing is H().
#ifndef DIG_MERKLE_H
#define DIG_MERKLE_H

#include <vector>

#include "libdig/base/digest.h"

namespace dig {

Digest leaf_hash(Bytes leaf);
Digest node_hash(const Digest &left, const Digest &right);

// The tree hash of leaves that lie one behind another in leaves and have these sizes.  Many are
// hashed at once.  scratch is memory to work in, which the next call can use again.
struct MerkleScratch {
	Buffer messages;
	std::vector<Digest> level;
};
Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleScratch &scratch);

// The peaks of a tree that only grows: the roots of its complete subtrees, the largest one first.
// There is one for each bit that is set in size, so the memory is O(log size).
class MerklePeaks {
public:
	MerklePeaks() = default;
	// From stored peaks.  There must be one for each bit that is set in size.
	MerklePeaks(std::uint64_t size, std::vector<Digest> peaks)
		: size_(size), peaks_(std::move(peaks))
	{
	}

	void append(const Digest &leaf_hash);
	std::uint64_t size() const { return size_; }
	const std::vector<Digest> &peaks() const { return peaks_; }
	Digest root() const;

private:
	std::uint64_t size_ = 0;
	std::vector<Digest> peaks_;
};

} // namespace dig

#endif
