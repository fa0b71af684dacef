// A block tree is kept as the roots of its complete subtrees, as large as they can be: like the digits
// of a binary number, as in MerklePeaks.  Two neighbours of one level become one of the next.  A tree that
// begins inside a file follows the same rule with the numbers of its own blocks, so its subtrees are subtrees
// of the file, first growing and then shrinking: at most two of each level.  Whoever appends them in order to
// the tree of what lies in front gets what one pass over all content gives.
//
// A run of zeros is made of subtrees of zeros, whose roots are known.
//
// Blocks are hashed 64 at a time and never beyond an aligned MiB, and the levels above them together, too.
// So the nodes that are hashed one by one are those above a MiB.
#include "libdig/chunking/block_tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <optional>

#include "libdig/base/cursor.h"
#include "libdig/base/zeros.h"
#include "libdig/chunking/merkle.h"
#include "libdig/chunking/sha256_lanes.h"

namespace dig {

constexpr std::uint8_t leaf_prefix = 0x00, node_prefix = 0x01;
constexpr std::size_t batch = 64; // blocks
constexpr int batch_level = 6;
static_assert(batch == std::size_t{1} << batch_level);

const Digest &zero_subtree(int level)
{
	static const std::array<Digest, block_tree_levels> roots = [] {
		std::array<Digest, block_tree_levels> made;
		made[0] = leaf_hash(zero_bytes(block_tree_block));
		for (std::size_t i = 1; i < made.size(); i++)
			made[i] = node_hash(made[i - 1], made[i - 1]);
		return made;
	}();
	return roots.at(static_cast<std::size_t>(level));
}

void hash_blocks(Bytes content, std::span<Digest> leaves)
{
	HashJob jobs[batch];
	for (std::size_t done = 0; !content.empty();) {
		std::size_t count = 0;
		for (; count < batch && !content.empty(); done++) {
			const Bytes block = content.first(std::min<std::size_t>(content.size(), block_tree_block));
			content = content.subspan(block.size());
			if (block.size() == block_tree_block && block[0] == 0 && is_zero(block))
				leaves[done] = zero_subtree(0);
			else
				jobs[count++] = {block, &leaves[done], leaf_prefix};
		}
		sha256_many({jobs, count});
	}
}

// Each two become one; an odd one at the end stays.  Returns how many there are then.
static std::size_t join_pairs(std::span<Digest> nodes)
{
	HashJob jobs[batch / 2];
	Digest joined[batch / 2];
	const std::size_t pairs = nodes.size() / 2;
	for (std::size_t done = 0; done < pairs;) {
		std::size_t count = 0;
		for (; count < batch / 2 && done + count < pairs; count++) {
			const Bytes pair(nodes[2 * (done + count)].bytes.data(), 2 * sizeof(Digest));
			jobs[count] = {pair, &joined[count], node_prefix};
		}
		sha256_many({jobs, count});
		std::copy_n(joined, count, nodes.begin() + static_cast<std::ptrdiff_t>(done));
		done += count;
	}
	if (nodes.size() % 2)
		nodes[pairs] = nodes.back();
	return pairs + nodes.size() % 2;
}

Digest join_subtrees(std::span<Digest> nodes)
{
	while (nodes.size() > 1)
		nodes = nodes.first(join_pairs(nodes));
	return nodes[0];
}

void BlockTree::append_subtree(int level, const Digest &root)
{
	Subtree subtree{level, root};
	std::uint64_t index = block_ >> level;
	assert(index << level == block_);
	block_ += std::uint64_t{1} << level;
	for (;;) {
		if (completed_ && subtree.level >= batch_level)
			completed_(subtree.level, index, subtree.root);
		if (index % 2 == 0 || subtrees_.empty() || subtrees_.back().level != subtree.level)
			break;
		subtree = {subtree.level + 1, node_hash(subtrees_.back().root, subtree.root)};
		subtrees_.pop_back();
		index /= 2;
	}
	subtrees_.push_back(subtree);
}

// Of one aligned MiB.
void BlockTree::append_leaves(std::span<Digest> leaves)
{
	std::array<Subtree, batch_level + 1> behind;
	std::size_t behind_count = 0;
	std::uint64_t index = block_;
	for (int level = 0; !leaves.empty(); level++) {
		// What has no neighbour in front of it here may have one among the subtrees before.
		if (index % 2 == 1 || level == batch_level) {
			append_subtree(level, leaves.front());
			leaves = leaves.subspan(1);
			index++;
		}
		if (leaves.size() % 2 == 1 && level < batch_level) {
			behind.at(behind_count++) = {level, leaves.back()};
			leaves = leaves.first(leaves.size() - 1);
		}
		if (!leaves.empty())
			leaves = leaves.first(join_pairs(leaves));
		index /= 2;
	}
	while (behind_count-- > 0)
		append_subtree(behind[behind_count].level, behind[behind_count].root);
}

void BlockTree::append(Bytes content)
{
	size_ += content.size();
	if (!last_.empty()) {
		const std::size_t more = std::min<std::size_t>(content.size(), block_tree_block - last_.size());
		dig::append(last_, content.first(more));
		content = content.subspan(more);
		if (last_.size() < block_tree_block)
			return;
		Digest leaf;
		hash_blocks(last_, {&leaf, 1});
		append_subtree(0, leaf);
		last_.clear();
	}
	Digest leaves[batch];
	while (content.size() >= block_tree_block) {
		const std::size_t count = std::min<std::size_t>(content.size() / block_tree_block, batch - block_ % batch);
		hash_blocks(content.first(count * block_tree_block), leaves);
		append_leaves({leaves, count});
		content = content.subspan(count * block_tree_block);
	}
	dig::append(last_, content);
}

void BlockTree::append_zeros(std::uint64_t size)
{
	const std::uint64_t head =
		last_.empty() ? 0 : std::min<std::uint64_t>(size, block_tree_block - last_.size());
	append(zero_bytes(head));
	size -= head;
	std::uint64_t blocks = size / block_tree_block;
	size_ += blocks * block_tree_block;
	while (blocks > 0) {
		const int most = std::bit_width(blocks) - 1;
		const int level = block_ == 0 ? most : std::min(most, std::countr_zero(block_));
		append_subtree(level, zero_subtree(level));
		blocks -= std::uint64_t{1} << level;
	}
	append(zero_bytes(size % block_tree_block));
}

void BlockTree::append(const BlockTree &other)
{
	assert(last_.empty());
	for (const Subtree &subtree : other.subtrees_)
		append_subtree(subtree.level, subtree.root);
	size_ += other.size_;
	last_ = other.last_;
}

Digest BlockTree::root_from(std::uint64_t block) const
{
	std::uint64_t begin = block_;
	std::optional<Digest> root;
	if (!last_.empty())
		root = leaf_hash(last_);
	for (std::size_t left = subtrees_.size(); left-- > 0 && begin > block;) {
		const Subtree &subtree = subtrees_[left];
		root = root ? node_hash(subtree.root, *root) : subtree.root;
		begin -= std::uint64_t{1} << subtree.level;
	}
	return root ? *root : digest_of(Bytes());
}

Buffer BlockTree::checkpoint() const
{
	Buffer out;
	put_u64(out, size_);
	for (const Subtree &subtree : subtrees_)
		dig::append(out, subtree.root);
	dig::append(out, last_);
	return out;
}

BlockTree BlockTree::resume(Bytes checkpoint, std::string_view name)
{
	Cursor cursor(checkpoint, name);
	BlockTree tree;
	tree.size_ = cursor.u64();
	tree.block_ = tree.size_ / block_tree_block;
	if (std::bit_width(tree.block_) > block_tree_levels)
		cursor.fail("a block tree is too large");
	for (int level = std::bit_width(tree.block_); level-- > 0;)
		if (tree.block_ >> level & 1)
			tree.subtrees_.push_back({level, cursor.digest()});
	dig::append(tree.last_, cursor.take(tree.size_ % block_tree_block));
	cursor.expect_end();
	return tree;
}

void BlockPart::begin(std::uint64_t offset)
{
	head_.clear();
	head_left_ = (block_tree_block - offset % block_tree_block) % block_tree_block;
	tree_ = BlockTree((offset + head_left_) / block_tree_block);
}

void BlockPart::append(Bytes content)
{
	const std::size_t head = std::min<std::size_t>(content.size(), head_left_);
	dig::append(head_, content.first(head));
	head_left_ -= head;
	tree_.append(content.subspan(head));
}

void BlockPart::append_zeros(std::uint64_t size)
{
	const std::uint64_t head = std::min(size, head_left_);
	append(zero_bytes(head));
	tree_.append_zeros(size - head);
}

void BlockPart::add_to(BlockTree &tree) const
{
	tree.append(head_);
	if (tree_.size() > 0)
		tree.append(tree_);
}

} // namespace dig
