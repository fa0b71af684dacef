#include "libdig/format/node_id.h"

#include "libdig/base/cursor.h"
#include "libdig/chunking/merkle.h"

namespace dig {

constexpr std::uint8_t node_prefix = 0x02;

Digest node_id(TreeKind kind, const NodeContent &content)
{
	Buffer message;
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
	put_u64(item, size);
	append(item, chunk);
	return node_id(TreeKind::chunk_list, {0, 1, 1, size, leaf_hash(item)});
}

} // namespace dig
