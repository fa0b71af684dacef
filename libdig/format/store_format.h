// The preamble that every file of a store begins with, and the small files of dig-store-layout(5).
#ifndef DIG_STORE_FORMAT_H
#define DIG_STORE_FORMAT_H

#include "libdig/base/cursor.h"
#include "libdig/base/endian.h"
#include "libdig/chunking/chunker.h"

namespace dig {

//     0        8         10           12          14          16     20     24
//     +--------+---------+------------+-----------+-----------+------+------+
//     | magic  | version | compatible | read also | write also|  0   | CRC  |
//     +--------+---------+------------+-----------+-----------+------+------+
struct Preamble {
	char magic[8];
	le16 version;
	le16 compatible_features, read_features, write_features;
	le32 zero;
	le32 checksum;
};
static_assert(sizeof(Preamble) == 24);
constexpr std::uint16_t format_version = 1;

// The newest version of a format that this dig knows, and the needed features that it knows.
struct KnownFormat {
	std::uint16_t version = format_version;
	std::uint16_t read_features = 0;
};

Preamble make_preamble(std::string_view magic, const KnownFormat &format = {});
// Returns the version.  Throws a CorruptError for damage, and an Error for a version or a feature
// that is not known.  With for_writing, features that only a writer must know count, too.
std::uint16_t check_preamble(Bytes bytes, std::string_view magic, std::string_view name,
	bool for_writing = false, const KnownFormat &known = {});

constexpr std::string_view layer_magic = "DIGLAYER", format_magic = "DIGFORMT",
			   roots_magic = "DIGROOTS", run_magic = "DIGCHRUN",
			   index_magic = "DIGINDEX", journal_magic = "DIGJRNAL", layer_table_magic = "DIGTABLE";

// A file that consists of a preamble, a body and the CRC-32 of both.
Buffer sealed_file(std::string_view magic, Bytes body, const KnownFormat &format = {});
// Checks such a file and returns its body.
Bytes open_sealed_file(Bytes file, std::string_view magic, std::string_view name, const KnownFormat &known = {});

constexpr std::uint16_t layer_table_feature = 1; // of format: there is a layer-table

// .dig/format
struct StoreFormat {
	Digest store_id;
	ChunkingParameters chunking;
	bool has_layer_table = false;

	Buffer encoded() const;
	static StoreFormat decode(Bytes file, std::string_view name);
};

} // namespace dig

#endif
