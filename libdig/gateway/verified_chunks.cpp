#include "libdig/gateway/verified_chunks.h"

#include <algorithm>

#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t piece = 64_KiB;

VerifiedChunks::Checksums VerifiedChunks::checksums_of(const Digest &chunk)
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
	if (bytes.size() != chunk.size || checksums_of(chunk.id))
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

std::optional<VerifiedChunks::Part> VerifiedChunks::find(const ContentChunk &chunk, const ByteRange::Extent &extent)
{
	Part part;
	part.chunk = chunk;
	part.checksums = checksums_of(chunk.id);
	if (!part.checksums || part.checksums->size() != (chunk.size + piece - 1) / piece)
		return {};
	const std::optional<ItemPlace> place = store_.find_item(ItemKind::chunk, chunk.id);
	if (!place)
		return {};
	const std::shared_ptr<Layer> layer = store_.layer(place->generation);
	const BlockRecord record = layer->block(place->place.block);
	if (lies_raw(record, chunk)) {
		part.file = std::shared_ptr<const File>(layer, &layer->file());
		part.offset = record.offset + sizeof(BlockHeader);
	} else if (const auto decoded = blocks_.find_chunk({place->generation, place->place.block}, chunk.size)) {
		part.file = decoded->file;
		part.offset = decoded->offset;
	} else {
		return {};
	}
	part.from = std::max(chunk.offset, extent.offset) - chunk.offset;
	part.to = std::min(chunk.offset + chunk.size, extent.offset + extent.size) - chunk.offset;
	part.begin = part.from / piece * piece;
	part.end = std::min((part.to + piece - 1) / piece * piece, chunk.size);
	return part;
}

// A piece is compared while the caches of the processor have it.
std::optional<Bytes> VerifiedChunks::read(const Part &part, MutableBytes memory)
{
	for (std::size_t at = 0; at < memory.size(); at += piece) {
		const MutableBytes bytes = memory.subspan(at, std::min<std::size_t>(piece, memory.size() - at));
		try {
			part.file->read_exactly_at(bytes, part.offset + part.begin + at);
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			return {};
		}
		if (crc32_of(bytes) != (*part.checksums)[(part.begin + at) / piece])
			return {};
	}
	return Bytes(memory).subspan(part.from - part.begin, part.to - part.from);
}

} // namespace dig
