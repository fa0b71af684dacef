// RFC 9162 defines the tree from the top: the left side takes the largest power of two.  Joining
// neighbours level by level, and taking an odd node up as it is, gives the same tree: pairs make
// the complete subtrees, and what is left over on the right joins them from the smallest on.  From
// below, all nodes of a level are independent messages, so they can be hashed side by side.
//
// A tree that only grows needs none of its leaves.  Its peaks are like the digits of a binary
// number: a leaf is a one that is added, and each carry joins two peaks of the same size.
#include "libdig/chunking/merkle.h"

#include <algorithm>
#include <bit>

#include "libdig/chunking/sha256_lanes.h"

namespace dig {

constexpr std::uint8_t leaf_prefix = 0x00, node_prefix = 0x01;

Digest leaf_hash(Bytes leaf) { return digest_of({Bytes(&leaf_prefix, 1), leaf}); }

Digest node_hash(const Digest &left, const Digest &right)
{
	return digest_of({Bytes(&node_prefix, 1), left, right});
}

namespace {

// Messages that are hashed side by side.
class HashQueue {
public:
	void add(const HashJob &job)
	{
		jobs_[count_++] = job;
		if (count_ == std::size(jobs_))
			run();
	}
	void run()
	{
		sha256_many({jobs_, count_});
		count_ = 0;
	}

private:
	HashJob jobs_[64];
	std::size_t count_ = 0;
};

} // namespace

static std::size_t level_above(std::size_t count) { return count / 2 + count % 2; }

static std::size_t nodes_of(std::size_t leaves)
{
	std::size_t nodes = leaves;
	for (std::size_t count = leaves; count > 1; nodes += count)
		count = level_above(count);
	return nodes;
}

Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleTree &tree)
{
	return merkle_tree_hash(leaves, sizes, tree, {}, MerkleTree());
}

Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleTree &tree,
	std::span<const std::uint32_t> same, const MerkleTree &like)
{
	tree.leaves = sizes.size();
	tree.nodes.resize(nodes_of(sizes.size()));
	if (sizes.empty())
		return digest_of(Bytes());
	HashQueue queue;
	const std::uint8_t *from = leaves.data();
	Digest *level = tree.nodes.data();
	for (std::size_t i = 0; i < sizes.size(); from += sizes[i++]) {
		if (i < same.size() && same[i] != no_leaf)
			level[i] = like.nodes[same[i]];
		else
			queue.add({Bytes(from, sizes[i]), &level[i], leaf_prefix});
	}
	queue.run();
	// A pair that like has at the same place has the same parent there.
	const Digest *other = like.nodes.data();
	std::size_t others = like.leaves;
	for (std::size_t count = sizes.size(); count > 1; count = level_above(count)) {
		Digest *above = level + count;
		for (std::size_t i = 0; i < count / 2; i++) {
			if (2 * i + 1 < others && std::equal(level + 2 * i, level + 2 * i + 2, other + 2 * i))
				above[i] = other[others + i];
			else
				queue.add({Bytes(level[2 * i].bytes.data(), 2 * sizeof(Digest)), &above[i], node_prefix});
		}
		queue.run();
		if (count % 2)
			above[count / 2] = level[count - 1];
		level = above;
		other += others;
		others = others > 1 ? level_above(others) : 0;
	}
	return *level;
}

void MerklePeaks::append(const Digest &leaf_hash)
{
	Digest peak = leaf_hash;
	// Each trailing one bit of the size is a complete subtree that the new one completes.
	for (std::uint64_t bits = size_; bits & 1; bits >>= 1) {
		peak = node_hash(peaks_.back(), peak);
		peaks_.pop_back();
	}
	peaks_.push_back(peak);
	size_++;
}

Digest MerklePeaks::root() const
{
	if (peaks_.empty())
		return digest_of(Bytes());
	Digest root = peaks_.back();
	for (std::size_t i = peaks_.size() - 1; i-- > 0;)
		root = node_hash(peaks_[i], root);
	return root;
}

// --- paths --------------------------------------------------------------------------------------

static std::uint64_t left_size(std::uint64_t size) { return std::bit_floor(size - 1); }

SubtreeHash subtrees_of(std::span<const Digest> leaf_hashes)
{
	return [leaf_hashes](std::uint64_t first, std::uint64_t last) {
		MerklePeaks peaks;
		for (std::uint64_t i = first; i < last; i++)
			peaks.append(leaf_hashes[i]);
		return peaks.root();
	};
}

// outside(low, high) for each largest subtree without any of the leaves [first, last), from below.
template <typename Outside>
static void each_outside(std::uint64_t size, std::uint64_t first, std::uint64_t last, Outside outside)
{
	// A subtree of which all leaves are inside has nothing outside.
	const auto go = [&](const auto &self, std::uint64_t low, std::uint64_t high) -> void {
		if (first <= low && high <= last)
			return;
		const std::uint64_t middle = low + left_size(high - low);
		if (middle <= first) {
			self(self, middle, high);
			outside(low, middle);
		} else {
			self(self, low, middle);
			if (last <= middle)
				outside(middle, high);
			else
				self(self, middle, high);
		}
	};
	go(go, 0, size);
}

std::vector<Digest> merkle_path(std::uint64_t size, std::uint64_t first, std::uint64_t last, const SubtreeHash &subtree)
{
	std::vector<Digest> path;
	each_outside(size, first, last, [&](std::uint64_t low, std::uint64_t high) { path.push_back(subtree(low, high)); });
	return path;
}

std::size_t merkle_path_length(std::uint64_t size, std::uint64_t first, std::uint64_t last)
{
	std::size_t length = 0;
	each_outside(size, first, last, [&](std::uint64_t, std::uint64_t) { length++; });
	return length;
}

Digest root_of_path(std::uint64_t size, std::uint64_t first, std::uint64_t last,
	const std::function<Digest()> &next_leaf, std::span<const Digest> path)
{
	std::size_t at = 0;
	const auto go = [&](const auto &self, std::uint64_t low, std::uint64_t high) -> Digest {
		if (high - low == 1)
			return next_leaf();
		const std::uint64_t middle = low + left_size(high - low);
		if (middle <= first) {
			const Digest right = self(self, middle, high);
			return node_hash(path[at++], right);
		}
		const Digest left = self(self, low, middle);
		return node_hash(left, last <= middle ? path[at++] : self(self, middle, high));
	};
	return go(go, 0, size);
}

// SUBPROOF of section 2.1.4.1; whole tells that the subtree is one of the older tree, whose root is known.
static void add_consistency(std::uint64_t older, std::uint64_t low, std::uint64_t high, bool whole,
	const SubtreeHash &subtree, std::vector<Digest> &path)
{
	if (older == high) {
		if (!whole)
			path.push_back(subtree(low, high));
		return;
	}
	const std::uint64_t middle = low + left_size(high - low);
	if (older <= middle) {
		add_consistency(older, low, middle, whole, subtree, path);
		path.push_back(subtree(middle, high));
	} else {
		add_consistency(older, middle, high, false, subtree, path);
		path.push_back(subtree(low, middle));
	}
}

std::vector<Digest> consistency_path(std::uint64_t older, std::uint64_t size, const SubtreeHash &subtree)
{
	std::vector<Digest> path;
	add_consistency(older, 0, size, true, subtree, path);
	return path;
}

// Section 2.1.4.2.
bool is_consistent(std::uint64_t older, const Digest &older_root, std::uint64_t size, const Digest &root,
	std::span<const Digest> path)
{
	if (older == 0 || older > size)
		return false;
	if (older == size)
		return path.empty() && older_root == root;
	if (path.empty())
		return false;
	const bool is_power = std::has_single_bit(older);
	std::uint64_t node = older - 1, last = size - 1;
	const int up = std::countr_one(node);
	node >>= up;
	last >>= up;
	Digest old_hash = is_power ? older_root : path[0], hash = old_hash;
	for (const Digest &next : path.subspan(is_power ? 0 : 1)) {
		if (last == 0)
			return false;
		if ((node & 1) || node == last) {
			old_hash = node_hash(next, old_hash);
			hash = node_hash(next, hash);
			while (node != 0 && !(node & 1)) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			hash = node_hash(hash, next);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && old_hash == older_root && hash == root;
}

} // namespace dig
