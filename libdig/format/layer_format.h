// The bytes of a layer (dig-layer-format(5)), as structs.
//
//     +----------+--------+-----+-------+-------+--------+-------+-------+--------+
//     | preamble | block  | ... | block | chunk | header | peaks | texts | footer |
//     |          |        |     | table | index |        |       |       |        |
//     +----------+--------+-----+-------+-------+--------+-------+-------+--------+
//
// No size or offset in front of the footer depends on what is written later.  So a layer is written
// front to back, and staging/pack is a layer without its end.
#ifndef DIG_LAYER_FORMAT_H
#define DIG_LAYER_FORMAT_H

#include <optional>
#include <vector>

#include "libdig/chunking/codec.h"
#include "libdig/chunking/merkle.h"
#include "libdig/format/store_format.h"

namespace dig {

enum class ItemKind : std::uint8_t { chunk = 1, node = 2 };
constexpr std::string_view name_of(ItemKind kind) { return kind == ItemKind::chunk ? "chunk" : "node"; }

constexpr std::uint32_t block_magic = 0x4b4c4244;
constexpr std::uint64_t max_block_size = 4_MiB; // raw, of several items
constexpr std::size_t max_block_items = 65535;

struct BlockHeader {
	le32 magic;
	std::uint8_t codec;
	std::uint8_t kind;
	le16 items;
	le32 raw_size;
	le32 stored_size;
	le32 payload_checksum;
	le32 checksum; // of the 20 bytes before and the sizes behind
};
static_assert(sizeof(BlockHeader) == 24);

struct BlockRecord {
	le64 offset;
	le32 length; // of the whole block
	le32 raw_size;
	le16 items;
	std::uint8_t codec;
	std::uint8_t kind;
	le32 zero;
};
static_assert(sizeof(BlockRecord) == 24);

struct ChunkRecord {
	Digest digest;
	le32 block;
	le16 item;
	std::uint8_t kind;
	std::uint8_t zero = 0;

	// The order of the chunk index.
	bool operator<(const ChunkRecord &other) const
	{
		const int order = std::memcmp(digest.bytes.data(), other.digest.bytes.data(), 32);
		return order ? order < 0 : kind < other.kind;
	}
};
static_assert(sizeof(ChunkRecord) == 40);

struct SectionRecord {
	le16 type;
	le16 flags;
	le32 checksum;
	le64 offset;
	le64 size;
};
static_assert(sizeof(SectionRecord) == 24);
constexpr std::uint16_t section_needed = 1; // SectionRecord::flags

// A layer has header, peaks and texts; a merged layer has states in their place.
enum class Section : std::uint16_t {
	block_table = 1, chunk_index = 2, header = 3, peaks = 4, texts = 5, states = 6, dropped = 7, packing = 8,
	chunking = 9,  // the parameters, where the layer is to be read without its store
	elsewhere = 10, // the packs that have the blocks
	hints = 11      // where things are, for readers to whom each read is a request
};

// A pack of a remote.
struct PackElsewhere {
	Digest id;
	std::uint64_t size; // of the object
	bool operator==(const PackElsewhere &) const = default;
};
// A layer that has no blocks itself has the place of each in a pack of a remote.  In its block table, offsets
// count through all of its packs, one behind the other, from elsewhere_begin on.
constexpr std::uint64_t elsewhere_begin = std::uint64_t(1) << 56;
Buffer encoded_packs(const std::vector<PackElsewhere> &packs);
// CorruptError for what is none, or is more than fits behind elsewhere_begin.
std::vector<PackElsewhere> decode_packs(Bytes section, std::string_view name);

// How the blocks of a layer were made.  Without the section, both are 0.
struct Packing {
	std::uint8_t level = 0;    // of all of them, if it is not 0; see Compressor
	std::uint64_t pending = 0; // bytes of content that were stored raw, to be compressed later
};

struct Footer {
	le64 section_table_offset;
	le32 section_count;
	le32 flags;
	Digest pack_id;
	le64 file_size;
	le32 section_table_checksum;
	le32 zero[2];
	char magic[8];
	le32 checksum;
};
static_assert(sizeof(Footer) == 80);
constexpr std::string_view footer_magic = "DIGLAEND";
constexpr std::uint32_t layer_is_full = 1; // Footer::flags
constexpr std::uint16_t changed_files_extension = 1; // u64, not 0

// The fanout of the chunk index has, for each value of a digest's first bits, the number of records
// whose first bits are not larger.
int fanout_bits(std::uint64_t count);
std::uint32_t first_bits(const Digest &digest, int bits);

// The header, whose hash is the layer id.
struct LayerHeader {
	Digest store_id;
	std::uint64_t generation = 0;
	Digest parent_root;
	Digest manifest_root;
	std::int64_t time_s = 0;
	Digest chunking;
	Digest texts; // H(author ‖ 0x00 ‖ message)
	std::uint64_t entries = 0;
	std::uint64_t bytes = 0;
	Buffer extensions; // encoded, and kept as they are

	// The number of files in the commit that changed while they were read.
	void set_changed_files(std::uint64_t count);
	std::uint64_t changed_files() const;

	Buffer encoded() const;
	static LayerHeader decode(Bytes bytes, std::string_view name, std::uint64_t offset = 0);
	Digest id() const;
};

// What a layer says of its generation besides content.
struct LayerState {
	LayerHeader header;
	std::string author, message;

	// As merged layers and the state log keep it.
	Buffer encoded() const;
	// CorruptError also when the texts are not those of the header.
	static LayerState decode(Bytes bytes, std::string_view name, std::uint64_t offset = 0);
};

Digest texts_digest(std::string_view author, std::string_view message);
// The root of the generation whose layer ids make up the peaks.
Digest root_of(const MerklePeaks &layer_ids);
// The same from the hash of the tree of the layer ids, and their number.
Digest root_of_head(std::uint64_t generation, const Digest &tree_head);

// The bytes of a block in front of its payload.  sizes are the sizes of its items.
Buffer block_prefix(Codec codec, ItemKind kind, std::span<const std::uint32_t> sizes, Bytes payload);

// The checksum of a compressed block that the journal keeps: a CRC-32 over the payload, continued
// over the header's checksum.  Without payload_checksum, the one that stands in the header is
// taken.
std::uint32_t block_checksum(Bytes prefix, std::optional<std::uint32_t> payload_checksum = {});

struct BlockShape {
	Codec codec;
	ItemKind kind;
	std::uint32_t raw_size, stored_size, payload_checksum;
	std::vector<std::uint32_t> sizes; // of the items
	std::size_t prefix_size() const { return sizeof(BlockHeader) + (sizes.size() > 1 ? 4 * sizes.size() : 0); }
	std::uint64_t length() const { return prefix_size() + stored_size; }
};
// Checks all that can be checked in a header alone.
void check_block_header(const BlockHeader &header, std::string_view name, std::uint64_t offset);
// Checks that a record can be that of some block.  Throws a CorruptError.
void check_block_record(const BlockRecord &record, std::string_view name, std::uint64_t offset);
// bytes must begin with the header and the sizes of the block.
BlockShape parse_block_prefix(Bytes bytes, std::string_view name, std::uint64_t offset);

} // namespace dig

#endif
