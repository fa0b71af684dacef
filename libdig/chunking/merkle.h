// The Merkle tree hash of RFC 9162, section 2.1.1: a leaf is H(0x00 ‖ leaf), a node
// H(0x01 ‖ left ‖ right), an odd node goes up as it is, and the tree of nothing is H().
#ifndef DIG_MERKLE_H
#define DIG_MERKLE_H

#include <vector>

#include "libdig/base/digest.h"

namespace dig {

Digest leaf_hash(Bytes leaf);
Digest node_hash(const Digest &left, const Digest &right);

// The tree over leaves that lie one behind another in bytes; sizes are theirs.  Hashes many at
// once.  scratch is used and kept for the next call.
struct MerkleScratch {
	Buffer messages;
	std::vector<Digest> level;
};
Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleScratch &scratch);

// The peaks of a tree that only grows: the roots of its complete subtrees, largest first, one for
// each bit set in size.  O(log size) memory.
class MerklePeaks {
public:
	MerklePeaks() = default;
	// Peaks as they were stored; their number must be the number of bits in size.
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
