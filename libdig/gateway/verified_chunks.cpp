#include "libdig/gateway/verified_chunks.h"

#include <algorithm>

namespace dig {

constexpr std::uint64_t piece = 64_KiB;

VerifiedChunks::Checksums VerifiedChunks::find(const Digest &chunk)
{
	std::lock_guard guard(mutex_);
	if (const auto found = young_.find(chunk); found != young_.end())
		return found->second;
	const auto found = old_.find(chunk);
	if (found == old_.end())
		return nullptr;
	return young_.emplace(chunk, found->second).first->second;
}

void VerifiedChunks::note(const ContentChunk &chunk, Bytes bytes)
{
	if (bytes.size() != chunk.size || find(chunk.id))
		return;
	auto checksums = std::make_shared<std::vector<std::uint32_t>>();
	for (std::size_t at = 0; at < bytes.size(); at += piece)
		checksums->push_back(crc32_of(bytes.subspan(at, std::min<std::size_t>(piece, bytes.size() - at))));
	std::lock_guard guard(mutex_);
	if (young_.size() >= most_ / 2) {
		old_ = std::move(young_);
		young_.clear();
	}
	young_.emplace(chunk.id, std::move(checksums));
}

static bool lies_raw(const BlockRecord &record, const ContentChunk &chunk)
{
	return record.kind == static_cast<std::uint8_t>(ItemKind::chunk) && record.items == 1 &&
		record.codec == static_cast<std::uint8_t>(Codec::none) && record.raw_size == chunk.size &&
		record.length == sizeof(BlockHeader) + chunk.size;
}

std::optional<std::vector<VerifiedChunks::Part>> VerifiedChunks::find(std::span<const ContentChunk> chunks,
	const ByteRange::Extent &extent)
{
	std::vector<Part> parts;
	const std::uint64_t extent_end = extent.offset + extent.size;
	for (const ContentChunk &chunk : chunks) {
		if (chunk.offset >= extent_end)
			break;
		Part part;
		part.chunk = chunk;
		part.checksums = find(chunk.id);
		std::optional<ItemPlace> place;
		if (part.checksums)
			place = store_.find_item(ItemKind::chunk, chunk.id);
		if (!place)
			return {};
		part.layer = store_.layer(place->generation);
		const BlockRecord record = part.layer->block(place->place.block);
		if (!lies_raw(record, chunk) || part.checksums->size() != (chunk.size + piece - 1) / piece)
			return {};
		part.offset = record.offset + sizeof(BlockHeader);
		part.from = std::max(chunk.offset, extent.offset) - chunk.offset;
		part.to = std::min(chunk.offset + chunk.size, extent_end) - chunk.offset;
		part.begin = part.from / piece * piece;
		part.end = std::min((part.to + piece - 1) / piece * piece, chunk.size);
		parts.push_back(std::move(part));
	}
	return parts;
}

std::size_t VerifiedChunks::size_of(std::span<const Part> parts)
{
	std::size_t size = 0;
	for (const Part &part : parts)
		size += part.end - part.begin;
	return size;
}

bool VerifiedChunks::read(std::span<const Part> parts, MutableBytes memory, std::vector<Bytes> &wanted)
{
	wanted.clear();
	for (const Part &part : parts) {
		const MutableBytes bytes = memory.first(part.end - part.begin);
		memory = memory.subspan(bytes.size());
		try {
			part.layer->file().read_exactly_at(bytes, part.offset + part.begin);
		} catch (const Error &) {
			return false;
		}
		for (std::size_t at = 0; at < bytes.size(); at += piece)
			if (crc32_of(Bytes(bytes).subspan(at, std::min<std::size_t>(piece, bytes.size() - at))) !=
				(*part.checksums)[(part.begin + at) / piece])
				return false;
		wanted.push_back(Bytes(bytes).subspan(part.from - part.begin, part.to - part.from));
	}
	return true;
}

} // namespace dig
