// A block passes three checks on its way to a reader, each before its result is used.  Its header
// has a checksum, which covers the sizes of its items, so that memory is taken for sizes that were
// written and not for damaged ones.  A compressed payload has one, too: a decoder is given only
// bytes that a compressor made, unless somebody forged the checksum.  What comes out is compared
// with the digests of the items, by the caller, because a reader of one chunk need not hash the
// others.
//
// A raw payload has no checksum of its own.  The digests of its items cover the same bytes.
#include "libdig/format/stored_block.h"

#include "libdig/base/error.h"
#include "libdig/format/tree_node.h"

namespace dig {

void check_block_length(std::uint32_t length, const File &file, std::uint64_t offset)
{
	// 1 MiB is more than header, sizes of items, and what a codec may add.
	if (length < sizeof(BlockHeader) || length > max_chunk_size + 1_MiB)
		throw CorruptError("a block's length is out of bounds", file.name(), offset);
}

BlockShape read_block_into(MutableBytes bytes, const File &file, std::uint64_t offset)
{
	file.read_exactly_at(bytes, offset);
	BlockShape shape = parse_block_prefix(bytes, file.name(), offset);
	if (shape.length() != bytes.size())
		throw CorruptError("a block is not as long as its record says", file.name(), offset);
	return shape;
}

StoredBlock read_stored_block(const File &file, std::uint64_t offset, std::uint32_t length)
{
	check_block_length(length, file, offset);
	StoredBlock block;
	block.bytes.resize(length);
	block.shape = read_block_into(block.bytes, file, offset);
	return block;
}

void decode_block(const BlockShape &shape, Bytes payload, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset)
{
	if (shape.codec != Codec::none && crc32_of(payload) != shape.payload_checksum)
		throw CorruptError("a block's checksum is wrong", name, offset);
	if (!decompressor.decompress(shape.codec, payload, out))
		throw CorruptError("a block does not decompress", name, offset);
}

void decode_block(const StoredBlock &block, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset)
{
	decode_block(block.shape, block.payload(), decompressor, out, name, offset);
}

// Nothing for bytes that are no node.
static std::optional<Node> node_in(Bytes bytes)
{
	// A stored node begins with its kind.
	if (bytes.empty() || (bytes[0] != 1 && bytes[0] != 2) || bytes.size() > max_stored_node_size)
		return {};
	try {
		return Node::parse(Buffer(bytes.begin(), bytes.end()), static_cast<TreeKind>(bytes[0]), nullptr, "node");
	} catch (const CorruptError &) {
		return {};
	}
}

std::optional<Digest> item_digest(ItemKind kind, Bytes bytes)
{
	if (kind == ItemKind::chunk)
		return digest_of(bytes);
	const std::optional<Node> node = node_in(bytes);
	return node ? std::optional(node->compute_id()) : std::nullopt;
}

std::optional<Buffer> verified_item(ItemKind kind, Bytes bytes, const Digest &digest)
{
	if (kind == ItemKind::chunk)
		return digest_of(bytes) == digest ? std::optional(Buffer(bytes.begin(), bytes.end())) : std::nullopt;
	std::optional<Node> node = node_in(bytes);
	return node && node->compute_id() == digest ? std::optional(std::move(*node).take_stored()) : std::nullopt;
}

} // namespace dig
