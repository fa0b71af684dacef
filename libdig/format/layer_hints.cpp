#include "libdig/format/layer_hints.h"

#include <algorithm>
#include <cstring>

#include "libdig/base/cursor.h"
#include "libdig/format/stored_block.h"
#include "libdig/format/tree_node.h"

namespace dig {

constexpr std::size_t most_places = 200'000; // that a reader keeps
constexpr std::size_t most_raw = 8_MiB; // of a section; writers stay below 1 MiB
constexpr int level_of_section = 9;

static std::uint64_t beginning_of(const Digest &digest) { return load<std::uint64_t>(digest.bytes.data()); }

HintRecord hint_of(ItemKind kind, const Digest &digest, std::uint32_t block, std::uint16_t item,
	const BlockRecord &record)
{
	HintRecord hint{};
	hint.digest_begin = beginning_of(digest);
	hint.block = block;
	hint.item = item;
	hint.kind = static_cast<std::uint8_t>(kind);
	hint.codec = record.codec;
	hint.offset = record.offset;
	hint.length = record.length;
	hint.raw_size = record.raw_size;
	hint.items = record.items;
	return hint;
}

static std::vector<HintRecord> take_hints(Cursor &cursor, std::size_t count)
{
	std::vector<HintRecord> places(count);
	const Bytes bytes = cursor.take(count * sizeof(HintRecord));
	if (count > 0)
		std::memcpy(places.data(), bytes.data(), bytes.size());
	return places;
}

Buffer encoded_hints(const std::vector<HintRecord> &places)
{
	Buffer out;
	for (const HintRecord &place : places)
		append(out, raw_bytes(place));
	return out;
}

std::vector<HintRecord> decode_hints(Bytes chunk)
{
	if (chunk.size() % sizeof(HintRecord) || chunk.size() / sizeof(HintRecord) > most_hints_in_chunk)
		return {};
	Cursor cursor(chunk, "");
	return take_hints(cursor, chunk.size() / sizeof(HintRecord));
}

Buffer HintsSection::encoded() const
{
	Buffer raw;
	put_u64(raw, items);
	put_u8(raw, static_cast<std::uint8_t>(bits));
	put_u32(raw, static_cast<std::uint32_t>(places.size()));
	append(raw, encoded_hints(places));
	put_u32(raw, static_cast<std::uint32_t>(nodes.size()));
	for (const Buffer &node : nodes) {
		put_u32(raw, static_cast<std::uint32_t>(node.size()));
		append(raw, node);
	}
	Buffer packed(raw.size());
	const std::size_t size = Compressor(Codec::zstd, level_of_section).compress(raw, packed, raw.size() - 1);
	Buffer section;
	put_u8(section, static_cast<std::uint8_t>(size > 0 ? Codec::zstd : Codec::none));
	put_u32(section, static_cast<std::uint32_t>(raw.size()));
	append(section, size > 0 ? Bytes(packed).first(size) : Bytes(raw));
	return section;
}

HintsSection HintsSection::decode(Bytes section, std::string_view name)
{
	Cursor packed(section, name);
	const std::uint8_t codec = packed.u8();
	const std::uint32_t size = packed.u32();
	if (codec > static_cast<std::uint8_t>(Codec::zstd) || size > most_raw)
		packed.fail("the section of hints is none");
	Buffer raw(size);
	if (!Decompressor().decompress(static_cast<Codec>(codec), packed.take(packed.left()), raw))
		throw CorruptError("the section of hints does not decompress", name, 0);
	Cursor cursor(raw, name);
	HintsSection hints;
	hints.items = cursor.u64();
	hints.bits = cursor.u8();
	hints.places = take_hints(cursor, cursor.count(cursor.u32(), sizeof(HintRecord)));
	const std::size_t count = cursor.count(cursor.u32(), node_header_size);
	for (std::size_t i = 0; i < count; i++) {
		const std::uint32_t length = cursor.u32();
		const Bytes node = cursor.take(length);
		hints.nodes.emplace_back(node.begin(), node.end());
	}
	cursor.expect_end();
	return hints;
}

void LayerHints::add(const std::vector<HintRecord> &places)
{
	if (places_.size() + places.size() > most_places)
		places_.clear();
	if (blocks_.size() + places.size() > most_places)
		blocks_.clear();
	for (const HintRecord &place : places) {
		places_.try_emplace(place.digest_begin, place);
		blocks_.try_emplace(place.block, place);
	}
}

void LayerHints::add_node(Buffer stored)
{
	if (const std::optional<Digest> id = item_digest(ItemKind::node, stored))
		nodes_.emplace_back(*id, std::move(stored));
}

const HintRecord *LayerHints::find(ItemKind kind, const Digest &digest) const
{
	const auto place = places_.find(beginning_of(digest));
	return place == places_.end() || place->second.kind != static_cast<std::uint8_t>(kind) ? nullptr : &place->second;
}

const HintRecord *LayerHints::find_block(std::uint32_t number) const
{
	const auto place = blocks_.find(number);
	return place == blocks_.end() ? nullptr : &place->second;
}

const Buffer *LayerHints::find_node(const Digest &id) const
{
	const auto node = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto &known) { return known.first == id; });
	return node == nodes_.end() ? nullptr : &node->second;
}

void LayerHints::forget(const Digest &digest)
{
	const auto place = places_.find(beginning_of(digest));
	if (place == places_.end())
		return;
	blocks_.erase(place->second.block);
	places_.erase(place);
}

} // namespace dig
