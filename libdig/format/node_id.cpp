//     u8 0x02 | u8 kind | u8 level | u32 items | u64 leaves | u64 bytes | tree hash (32)
//
// These are 55 bytes, which is one block of SHA-256.  The first byte keeps the id apart from what
// else is hashed: a Merkle leaf begins with 0x00, an inner node with 0x01, a root with 0x03, a
// layer with 0x05.  A chunk has no such byte and may hold the same message, so items are looked up
// by their kind and their digest.
//
// The counts are part of the message, so a file root also fixes the size of the file, and a
// manifest root the number of entries.  The kind is part of it, or a chunk list could be read as a
// manifest.
//
// Content of one chunk has no node.  An entry names the chunk itself, and its file root is computed
// when somebody asks for it.  So a million small files need a million chunks and not also a million
// nodes.
#include "libdig/format/node_id.h"

#include "libdig/base/cursor.h"
#include "libdig/chunking/merkle.h"

namespace dig {

constexpr std::uint8_t node_prefix = 0x02;

Digest node_id(TreeKind kind, const NodeContent &content)
{
	Buffer message;
	message.reserve(55);
	put_u8(message, node_prefix);
	put_u8(message, static_cast<std::uint8_t>(kind));
	put_u8(message, static_cast<std::uint8_t>(content.level));
	put_u32(message, content.items);
	put_u64(message, content.leaves);
	put_u64(message, content.bytes);
	append(message, content.tree_hash);
	return digest_of(message);
}

Digest empty_root(TreeKind kind) { return node_id(kind, {0, 0, 0, 0, digest_of(Bytes())}); }

Digest single_chunk_root(const Digest &chunk, std::uint64_t size)
{
	Buffer item;
	item.reserve(40);
	put_u64(item, size);
	append(item, chunk);
	return node_id(TreeKind::chunk_list, {0, 1, 1, size, leaf_hash(item)});
}

} // namespace dig
