// The tree of RFC 9162, section 2.1.1, over blocks of 16 KiB of a file's content: core.block_tree.  Block i
// is the leaf i, H(0x00 ‖ block); the last block may be shorter.  So one byte of a file of any size is
// proved by one block and O(log size) digests, and every library for such trees can check it.
//
//     MiB             root          2^6 blocks, and larger subtrees above it
//     16 KiB     leaf leaf leaf …
//
// A subtree of level k has 2^k blocks and begins at a multiple of them.
//
// Blocks are independent messages, so that they go through the lanes of sha256_lanes: 0.2 ns a byte.
// Everything here computes only, in memory of O(log size).
#ifndef DIG_BLOCK_TREE_H
#define DIG_BLOCK_TREE_H

#include <functional>
#include <vector>

#include "libdig/base/digest.h"

namespace dig {

constexpr std::uint64_t block_tree_block = 16_KiB;
// Only files of more bytes have one.
constexpr std::uint64_t block_tree_least = 1_MiB;
// 2^63 bytes are 2^49 blocks.
constexpr int block_tree_levels = 50;

// The root of a subtree of 2^level blocks of zeros; level is below block_tree_levels.
const Digest &zero_subtree(int level);
// The leaf hashes of blocks that lie one behind another; the last one may be shorter.  There is room for
// as many as there are.
void hash_blocks(Bytes content, std::span<Digest> leaves);
// The tree hash of leaf hashes or of subtrees of one level, all of them complete but perhaps the last one.
// Overwrites them.  Not of nothing.
Digest join_subtrees(std::span<Digest> nodes);

// A tree that grows with content, which comes in order and in pieces of any size.  It may begin at any
// block of the file.
class BlockTree {
public:
	explicit BlockTree(std::uint64_t first_block = 0) : block_(first_block) {}

	void append(Bytes content);
	// In O(log size).
	void append_zeros(std::uint64_t size);
	// What begins where this ends.  This ends with a whole block, or holds nothing.
	void append(const BlockTree &other);

	// Of all content that was appended.
	std::uint64_t size() const { return size_; }
	// The tree hash of it.  For a tree that begins at block 0, or at any other that begins a subtree as large.
	Digest root() const { return root_from(0); }
	// The tree hash of the content from this block on, which no complete subtree has inside.
	Digest root_from(std::uint64_t block) const;

	// Is told the roots of all subtrees of 64 blocks or more as they become complete, from the smallest one on;
	// but of those in a run of zeros, only the largest ones.
	using Completed = std::function<void(int level, std::uint64_t index, const Digest &root)>;
	void tell(Completed completed) { completed_ = std::move(completed); }

	// To go on with in another process: of a tree that begins at block 0, 16 KiB and some digests at most.
	//     u64 size | root of each complete subtree, the largest first | the bytes of the last block
	Buffer checkpoint() const;
	// CorruptError for what is no checkpoint.  name is for the message.
	static BlockTree resume(Bytes checkpoint, std::string_view name);

private:
	struct Subtree {
		int level;
		Digest root;
	};
	void append_leaves(std::span<Digest> leaves);
	void append_subtree(int level, const Digest &root);

	std::uint64_t size_ = 0;
	std::uint64_t block_;           // the number of the next one
	std::vector<Subtree> subtrees_; // complete and as large as can be, in order
	Buffer last_;                   // the block that is not complete
	Completed completed_;
};

// Content from an offset on, hashed before all that lies in front of it was: what a thread makes of a
// segment of a large file.
class BlockPart {
public:
	// Forgets what was appended.
	void begin(std::uint64_t offset);
	void append(Bytes content);
	void append_zeros(std::uint64_t size);

	// Appends it to the tree of all content in front of it.
	void add_to(BlockTree &tree) const;

private:
	std::uint64_t head_left_ = 0; // bytes of the block that began in front of it
	Buffer head_;
	BlockTree tree_;
};

} // namespace dig

#endif
