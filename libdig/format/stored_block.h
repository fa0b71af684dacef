// A block of chunks or nodes as it lies in a layer or in the pack: read, checked and decoded.
#ifndef DIG_STORED_BLOCK_H
#define DIG_STORED_BLOCK_H

#include "libdig/format/layer_format.h"
#include "libdig/os/file.h"

namespace dig {

// A block as it lies in a file.
struct StoredBlock {
	BlockShape shape;
	Buffer bytes; // prefix and payload
	Bytes payload() const { return Bytes(bytes).subspan(shape.prefix_size()); }
};

// Reads the block at offset into bytes, and checks that it has their size.
BlockShape read_block_into(MutableBytes bytes, const File &file, std::uint64_t offset);
// A block whose length is out of bounds is damaged; to be asked before memory is taken.
void check_block_length(std::uint32_t length, const File &file, std::uint64_t offset);
// Both, with memory of its own.
StoredBlock read_stored_block(const File &file, std::uint64_t offset, std::uint32_t length);
// Decodes into out, which has raw_size bytes.  Checks the payload's checksum, but not the digests
// of the items.
void decode_block(const BlockShape &shape, Bytes payload, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset);
void decode_block(const StoredBlock &block, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset);
// The digest that an item with these bytes is looked up by: of a chunk that of its bytes, of a node
// its id.  Nothing if the bytes are no node.
std::optional<Digest> item_digest(ItemKind kind, Bytes bytes);
// A copy of the bytes if that is their digest; nothing else.
std::optional<Buffer> verified_item(ItemKind kind, Bytes bytes, const Digest &digest);

} // namespace dig

#endif
