// What the reader and the maker of proofs have in common.
#ifndef DIG_PROOF_BYTES_H
#define DIG_PROOF_BYTES_H

#include "libdig/base/cursor.h"
#include "libdig/chunking/block_tree.h"
#include "libdig/format/node_id.h"

namespace dig {

constexpr std::uint8_t proof_version = 1;

// A node of which some items are shown, and the others are in hashes.
struct ShownNode {
	TreeKind kind;
	int level;
	std::uint32_t items;
	std::uint64_t leaves, bytes;
	std::uint32_t first;       // that is shown
	std::vector<Buffer> shown; // as they are hashed
	std::vector<Digest> path;  // merkle_path() of those that are shown

	Digest id() const;
};

// LEB128: seven bits a byte, the lowest first.  Readers refuse more bytes than a number needs.
inline void put_varint(Buffer &out, std::uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		out.push_back(static_cast<std::uint8_t>(value | 0x80));
	out.push_back(static_cast<std::uint8_t>(value));
}
std::uint64_t take_varint(Cursor &cursor);

// The blocks [first, last) of count that have the bytes of a range.
struct BlockExtent {
	std::uint64_t count, first, last;

	std::uint64_t data_begin() const { return first * block_tree_block; }
	std::uint64_t data_end(std::uint64_t file_size) const
	{
		return last == count ? file_size : last * block_tree_block;
	}
};
inline BlockExtent blocks_of(std::uint64_t file_size, std::uint64_t begin, std::uint64_t size)
{
	return {(file_size - 1) / block_tree_block + 1, begin / block_tree_block,
		(begin + size - 1) / block_tree_block + 1};
}

} // namespace dig

#endif
