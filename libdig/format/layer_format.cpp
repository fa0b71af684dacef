// The identity of a layer is a digest over its header alone, which holds the roots of everything else.
// So it is known before the bytes of the layer are, and does not change when blocks are compressed in
// another way or lie in another order.  Two stores that commit the same content under the same parent,
// with the same texts and time, have the same layer id.
//
// Identities have a version of their own (identity_version).  The layout of sections and blocks may get
// a new version without any id changing.  A later header may have extensions: type, length, value, in
// strict order of types.  A reader that does not know one keeps its bytes, because they are part of the
// id, and ignores their meaning.
//
// Structs that are read as they lie have a check beside them, and no field is used before it: counts
// against the size of the file, offsets against each other, sizes against the largest block.
#include "libdig/format/layer_format.h"

#include <bit>

namespace dig {

constexpr std::uint8_t root_prefix = 0x03, layer_prefix = 0x05;
constexpr std::uint16_t identity_version = 1;
constexpr std::uint8_t algorithm_sha256 = 1;
// A writer stores raw what does not shrink; a reader grants a codec some bytes for its frame.
constexpr std::uint32_t most_overhead = 65536;

// A slot of the fanout has 64 records at most on average, up to 4 million records.  From there on
// the slots grow, and the fanout does not: 65,536 numbers take 512 KiB of memory.
int fanout_bits(std::uint64_t count)
{
	int bits = 0;
	while (bits < 16 && count > (std::uint64_t(64) << bits))
		bits++;
	return bits;
}

std::uint32_t first_bits(const Digest &digest, int bits)
{
	const std::uint32_t first = std::uint32_t(digest.bytes[0]) << 8 | digest.bytes[1];
	return first >> (16 - bits);
}

Buffer LayerHeader::encoded() const
{
	Buffer out;
	put_u16(out, identity_version);
	put_u8(out, algorithm_sha256);
	append(out, store_id);
	put_u64(out, generation);
	append(out, parent_root);
	append(out, manifest_root);
	put(out, time_s);
	append(out, chunking);
	append(out, texts);
	put_u64(out, entries);
	put_u64(out, bytes);
	append(out, extensions);
	return out;
}

LayerHeader LayerHeader::decode(Bytes bytes, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(bytes, name, offset);
	if (cursor.u16() != identity_version)
		throw Error(quote(name) + " has identities of a version that this dig does not know");
	if (cursor.u8() != algorithm_sha256)
		throw Error(quote(name) + " uses a digest algorithm that this dig does not know");
	LayerHeader header;
	header.store_id = cursor.digest();
	header.generation = cursor.u64();
	if (header.generation == 0)
		cursor.fail("the generation is 0");
	header.parent_root = cursor.digest();
	header.manifest_root = cursor.digest();
	header.time_s = cursor.i64();
	header.chunking = cursor.digest();
	header.texts = cursor.digest();
	header.entries = cursor.u64();
	header.bytes = cursor.u64();
	for (int before = -1; !cursor.at_end();) {
		const std::uint16_t type = cursor.u16();
		if (type <= before)
			cursor.fail("the header's extensions are not in order");
		before = type;
		const std::uint32_t length = cursor.u32();
		const Bytes value = cursor.take(length);
		put_u16(header.extensions, type);
		put_u32(header.extensions, length);
		append(header.extensions, value);
	}
	return header;
}

void LayerHeader::set_changed_files(std::uint64_t count)
{
	put_u16(extensions, changed_files_extension);
	put_u32(extensions, sizeof count);
	put_u64(extensions, count);
}

std::uint64_t LayerHeader::changed_files() const
{
	Cursor cursor(extensions, "a layer's header");
	while (!cursor.at_end()) {
		const std::uint16_t type = cursor.u16();
		const std::uint32_t length = cursor.u32();
		if (type == changed_files_extension && length == sizeof(std::uint64_t))
			return cursor.u64();
		cursor.take(length);
	}
	return 0;
}

Digest LayerHeader::id() const { return digest_of({Bytes(&layer_prefix, 1), encoded()}); }

Digest texts_digest(std::string_view author, std::string_view message)
{
	constexpr std::uint8_t zero = 0;
	return digest_of({bytes_of(author), Bytes(&zero, 1), bytes_of(message)});
}

Buffer LayerState::encoded() const
{
	Buffer bytes;
	const Buffer encoded_header = header.encoded();
	put_u32(bytes, static_cast<std::uint32_t>(encoded_header.size()));
	append(bytes, encoded_header);
	for (const std::string *text : {&author, &message}) {
		put_u32(bytes, static_cast<std::uint32_t>(text->size()));
		append(bytes, bytes_of(*text));
	}
	return bytes;
}

LayerState LayerState::decode(Bytes bytes, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(bytes, name, offset);
	const auto piece = [&] {
		const std::uint32_t size = cursor.u32();
		return cursor.take(size);
	};
	LayerState state;
	state.header = LayerHeader::decode(piece(), name, offset);
	state.author = text_of(piece());
	state.message = text_of(piece());
	cursor.expect_end();
	if (texts_digest(state.author, state.message) != state.header.texts)
		throw CorruptError("author and message are not those of the header", name, offset);
	return state;
}

Digest root_of(const MerklePeaks &layer_ids) { return root_of_head(layer_ids.size(), layer_ids.root()); }

Digest root_of_head(std::uint64_t generation, const Digest &tree_head)
{
	Buffer message;
	put_u8(message, root_prefix);
	put_u64(message, generation);
	append(message, tree_head);
	return digest_of(message);
}

Buffer block_prefix(Codec codec, ItemKind kind, std::span<const std::uint32_t> sizes, Bytes payload)
{
	BlockHeader header{};
	header.magic = block_magic;
	header.codec = static_cast<std::uint8_t>(codec);
	header.kind = static_cast<std::uint8_t>(kind);
	header.items = static_cast<std::uint16_t>(sizes.size());
	std::uint32_t raw_size = 0;
	for (std::uint32_t size : sizes)
		raw_size += size;
	header.raw_size = raw_size;
	header.stored_size = static_cast<std::uint32_t>(payload.size());
	header.payload_checksum = codec == Codec::none ? 0 : crc32_of(payload);
	Buffer prefix;
	prefix.reserve(sizeof header + sizes.size_bytes());
	append(prefix, raw_bytes(header));
	if (sizes.size() > 1)
		for (std::uint32_t size : sizes)
			put_u32(prefix, size);
	const std::uint32_t checksum = crc32_of(Bytes(prefix).subspan(24), crc32_of(Bytes(prefix).first(20)));
	std::memcpy(prefix.data() + 20, &checksum, 4);
	return prefix;
}

std::uint32_t block_checksum(Bytes prefix, std::optional<std::uint32_t> payload_checksum)
{
	BlockHeader header;
	std::memcpy(&header, prefix.data(), sizeof header);
	return crc32_of(raw_bytes(header.checksum), payload_checksum.value_or(header.payload_checksum));
}

void check_block_header(const BlockHeader &header, std::string_view name, std::uint64_t offset)
{
	const auto fail = [&](std::string_view what) { throw CorruptError(what, name, offset); };
	if (header.magic != block_magic)
		fail("no block begins here");
	if (header.codec > static_cast<std::uint8_t>(Codec::zstd))
		fail("a block's codec is unknown");
	if (header.kind != 1 && header.kind != 2)
		fail("a block's kind is unknown");
	if (header.items == 0 || header.raw_size < header.items)
		fail("a block has no items, or an empty one");
	if (header.raw_size > (header.items > 1 ? max_block_size : max_chunk_size))
		fail("a block is too large");
	if (header.codec == 0 ? header.stored_size != header.raw_size
			      : header.stored_size > header.raw_size + most_overhead)
		fail("a block's stored size does not agree with its codec");
}

void check_block_record(const BlockRecord &record, std::string_view name, std::uint64_t offset)
{
	const std::uint64_t items = record.items, length = record.length;
	const std::uint64_t prefix = sizeof(BlockHeader) + (items > 1 ? 4 * items : 0);
	if (record.offset < sizeof(Preamble) || record.offset > std::uint64_t(-1) - length || length < prefix)
		throw CorruptError("the place of a block is out of bounds", name, offset);
	BlockHeader header{};
	header.magic = block_magic;
	header.codec = record.codec;
	header.kind = record.kind;
	header.items = record.items;
	header.raw_size = record.raw_size;
	header.stored_size = static_cast<std::uint32_t>(length - prefix);
	check_block_header(header, name, offset);
	if (record.zero != 0)
		throw CorruptError("reserved bytes are not zero", name, offset);
}

BlockShape parse_block_prefix(Bytes bytes, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(bytes, name, offset);
	BlockHeader header;
	std::memcpy(&header, cursor.take(sizeof header).data(), sizeof header);
	check_block_header(header, name, offset);
	BlockShape shape;
	shape.codec = static_cast<Codec>(header.codec);
	shape.kind = static_cast<ItemKind>(header.kind);
	shape.raw_size = header.raw_size;
	shape.stored_size = header.stored_size;
	shape.payload_checksum = header.payload_checksum;
	const std::uint16_t items = header.items;
	const Bytes sizes = cursor.take(items > 1 ? 4 * std::size_t(items) : 0);
	if (crc32_of(sizes, crc32_of(bytes.first(20))) != header.checksum)
		throw CorruptError("a block header's checksum is wrong", name, offset);
	if (shape.codec == Codec::none && shape.payload_checksum != 0)
		throw CorruptError("a block's checksum should be 0", name, offset);
	std::uint64_t sum = 0;
	for (std::size_t i = 0; i < items; i++) {
		shape.sizes.push_back(items > 1 ? load<std::uint32_t>(sizes.data() + 4 * i) : shape.raw_size);
		if (shape.sizes.back() == 0)
			throw CorruptError("a block has an empty item", name, offset);
		sum += shape.sizes.back();
	}
	if (sum != shape.raw_size)
		throw CorruptError("a block's sizes do not add up", name, offset);
	return shape;
}

Buffer encoded_packs(const std::vector<PackElsewhere> &packs)
{
	Buffer section;
	for (const PackElsewhere &pack : packs) {
		append(section, pack.id);
		put_u64(section, pack.size);
	}
	return section;
}

std::vector<PackElsewhere> decode_packs(Bytes section, std::string_view name)
{
	Cursor cursor(section, name);
	std::vector<PackElsewhere> packs;
	std::uint64_t sum = 0;
	while (cursor.left() > 0) {
		PackElsewhere pack;
		pack.id = cursor.digest();
		pack.size = cursor.u64();
		if (pack.size > elsewhere_begin - sum)
			cursor.fail("the packs are larger than anything can be");
		sum += pack.size;
		packs.push_back(pack);
	}
	return packs;
}

} // namespace dig
