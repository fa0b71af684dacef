// How a file of a later version is met.  The preamble has three sets of features, as in ext4: those
// that everybody may ignore, those that a reader must know, and those that only a writer must know.
// So a later version can add something without a new version number, and this one knows whether it
// may read the file, may also change it, or must leave it alone.
//
// The order of the checks matters.  The magic comes first, since it tells whether this is such a
// file at all.  Then the checksum: damage must not be taken for a version of the future, with the
// advice to use a newer dig.  The reserved bytes come last, because a later version may give them a
// meaning.
//
// The small files of a store are sealed: preamble, body and a CRC-32 over both.  They are replaced
// as a whole and read as a whole, so no part of them needs a checksum of its own.
#include "libdig/format/store_format.h"

namespace dig {

Preamble make_preamble(std::string_view magic, const KnownFormat &format)
{
	Preamble preamble{};
	std::memcpy(preamble.magic, magic.data(), sizeof preamble.magic);
	preamble.version = format.version;
	preamble.read_features = format.read_features;
	preamble.checksum = crc32_of(raw_bytes(preamble).first(20));
	return preamble;
}

std::uint16_t check_preamble(Bytes bytes, std::string_view magic, std::string_view name, bool for_writing,
	const KnownFormat &known)
{
	Preamble preamble;
	if (bytes.size() < sizeof preamble)
		throw CorruptError("it is shorter than its preamble", name, bytes.size());
	std::memcpy(&preamble, bytes.data(), sizeof preamble);
	if (std::string_view(preamble.magic, 8) != magic)
		throw CorruptError("it does not begin with " + std::string(magic), name, 0);
	if (preamble.checksum != crc32_of(bytes.first(20)))
		throw CorruptError("the preamble's checksum is wrong", name, 20);
	if (preamble.version < 1 || preamble.version > known.version)
		throw Error(quote(name) + " has format version " + std::to_string(preamble.version) +
			", and this dig knows version " + std::to_string(known.version) + "; use a newer dig");
	if ((preamble.read_features & ~known.read_features) != 0 || (for_writing && preamble.write_features != 0))
		throw Error(quote(name) + " needs features that this dig does not know; use a newer dig");
	if (preamble.zero != 0)
		throw CorruptError("reserved bytes are not zero", name, 16);
	return preamble.version;
}

Buffer sealed_file(std::string_view magic, Bytes body, const KnownFormat &format)
{
	Buffer file;
	append(file, raw_bytes(make_preamble(magic, format)));
	append(file, body);
	put_u32(file, crc32_of(file));
	return file;
}

Bytes open_sealed_file(Bytes file, std::string_view magic, std::string_view name, const KnownFormat &known)
{
	check_preamble(file, magic, name, false, known);
	if (file.size() < sizeof(Preamble) + 4)
		throw CorruptError("it ends too early", name, file.size());
	const Bytes covered = file.first(file.size() - 4);
	if (crc32_of(covered) != load<std::uint32_t>(covered.data() + covered.size()))
		throw CorruptError("the checksum is wrong", name, covered.size());
	return covered.subspan(sizeof(Preamble));
}

Buffer StoreFormat::encoded() const
{
	Buffer body;
	append(body, store_id);
	append(body, chunking.encoded());
	return sealed_file(format_magic, body, {.read_features = has_layer_table ? layer_table_feature : std::uint16_t(0)});
}

StoreFormat StoreFormat::decode(Bytes file, std::string_view name)
{
	const Bytes body = open_sealed_file(file, format_magic, name, {.read_features = layer_table_feature});
	Cursor cursor(body, name, sizeof(Preamble));
	StoreFormat format;
	Preamble preamble;
	std::memcpy(&preamble, file.data(), sizeof preamble);
	format.has_layer_table = preamble.read_features & layer_table_feature;
	format.store_id = cursor.digest();
	format.chunking = ChunkingParameters::decode(cursor.take(encoded_parameters_size), name);
	cursor.expect_end();
	return format;
}

} // namespace dig
