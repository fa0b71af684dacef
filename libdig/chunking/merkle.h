// The Merkle tree hash of RFC 9162, section 2.1.1: a leaf is H(0x00 ‖ leaf), a node
// H(0x01 ‖ left ‖ right), an odd node goes up as it is, and the tree of nothing is H().
#ifndef DIG_MERKLE_H
#define DIG_MERKLE_H

#include <functional>
#include <optional>
#include <vector>

#include "libdig/base/digest.h"

namespace dig {

Digest leaf_hash(Bytes leaf);
Digest node_hash(const Digest &left, const Digest &right);

// All hashes of a tree, level by level: those of the leaves come first and the root last.
struct MerkleTree {
	std::size_t leaves = 0;
	std::vector<Digest> nodes;
};

// The tree hash of leaves that lie one behind another in leaves and have these sizes.  Many are hashed at
// once.  tree becomes theirs; memory that it has is used again.
Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleTree &tree);
// The same of a tree that is much like another: same has, for each leaf, which leaf of like it equals, or
// no_leaf.  What both trees have at the same place is not hashed again.
constexpr std::uint32_t no_leaf = UINT32_MAX;
Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleTree &tree,
	std::span<const std::uint32_t> same, const MerkleTree &like);

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

// The tree hash of the leaves [first, last) of a tree.
using SubtreeHash = std::function<Digest(std::uint64_t first, std::uint64_t last)>;
// Over the hashes of leaves that are at hand; hashes last - first of them.
SubtreeHash subtrees_of(std::span<const Digest> leaf_hashes);

// What leads from the leaves [first, last) to the root of a tree of size leaves, first < last <= size: the
// hashes of the largest subtrees without any of them.  The subtree beside the leaves comes first and the child
// of the root last.  For one leaf this is the inclusion proof of RFC 9162, section 2.1.3.1.  Their number is
// less than 128, and depends on size, first and last alone.
std::vector<Digest> merkle_path(std::uint64_t size, std::uint64_t first, std::uint64_t last,
	const SubtreeHash &subtree);
std::size_t merkle_path_length(std::uint64_t size, std::uint64_t first, std::uint64_t last);
// The root that path leads to; next_leaf gives the hashes of the leaves [first, last), from left to right.
// path has merkle_path_length() hashes.
Digest root_of_path(std::uint64_t size, std::uint64_t first, std::uint64_t last,
	const std::function<Digest()> &next_leaf, std::span<const Digest> path);

// That a tree of older leaves is the beginning of one of size leaves, 0 < older <= size (section 2.1.4).
// At most 64 hashes; none where older is size.
std::vector<Digest> consistency_path(std::uint64_t older, std::uint64_t size, const SubtreeHash &subtree);
bool is_consistent(std::uint64_t older, const Digest &older_root, std::uint64_t size, const Digest &root,
	std::span<const Digest> path);

} // namespace dig

#endif
