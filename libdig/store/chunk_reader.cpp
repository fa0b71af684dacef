#include "libdig/store/chunk_reader.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "libdig/base/trace.h"
#include "libdig/os/read_memory.h"

// The chunks of a unit are read in three steps, so that each step has many at once.
//
// First all are looked up (locate), which tells how much memory they need.  If the last unit was not in
// the page cache, the system is told now what will be read.  Equal chunks are one from here on: a forged
// list can name one tiny chunk millions of times, and a look-up, a system call and a hash for each would
// take half a minute for a layer of one KiB.
//
// Then raw chunks and chunks with a block of their own are read in the order of the content, which is
// mostly the order in the layer.  Chunks that share a block are sorted by block and come out of it
// together.  Where all of the block is wanted, it is decoded to where the chunks are wanted.  Else its
// parts are copied, and the block is kept in the cache: what comes next in the content is likely to need
// the rest.
//
// All of this lies in the memory that the caller gives, so that the number of readers is no question of
// memory: a reader has a decompressor of its own, and that is all.
//
// Chunks are hashed side by side, which is faster than one by one, and as soon as there are enough of
// them: small chunks are in the processor's cache then.
//
// A chunk that cannot be found, read, decoded or verified is no failure yet.  The store is asked for
// it, which looks into other layers, and follows a commit that was made meanwhile.  Only its answer is
// final, and it belongs to the chunk: the others of the unit are good.

namespace dig {

// Bytes a nanosecond.  Cached pages come at 10, others at 4 or less.  Then asking for the next blocks
// ahead pays; for cached pages it would only be one more system call.
constexpr std::uint64_t slow_rate = 5;
// What a block of several chunks takes at most: its chunks, its head and their sizes.
constexpr std::size_t max_stored_size = max_block_size + sizeof(BlockHeader) + 4 * max_block_items;
// What is hashed at once, if there is so much: it fits into a cache, and fills all lanes.
constexpr std::size_t enough_to_verify = 256_KiB, many_to_verify = 32;
constexpr std::uint32_t no_chunk = ~std::uint32_t(0);

// --- which chunks ---------------------------------------------------------------------------

ChunkSequence::ChunkSequence(Store &store, const Entry &entry, const ByteRange::Extent &extent)
	: end_(extent.offset + extent.size)
{
	if (extent.size == 0 || entry.form == ContentForm::none)
		return;
	if (entry.form == ContentForm::chunk) {
		only_ = ContentChunk{entry.content, entry.size, 0};
		return;
	}
	cursor_.emplace(TreeKind::chunk_list, content_root(entry), store.nodes());
	cursor_->seek_offset(extent.offset);
}

std::optional<ContentChunk> ChunkSequence::next()
{
	if (only_)
		return std::exchange(only_, std::nullopt);
	if (!cursor_)
		return {};
	cursor_->settle();
	if (cursor_->at_end() || cursor_->offset() >= end_)
		return {};
	const ContentChunk chunk{cursor_->chunk_id(), cursor_->chunk_size(), cursor_->offset()};
	cursor_->skip();
	return chunk;
}

std::uint64_t ChunkSequence::pass_repeats(const ContentChunk &last)
{
	if (!cursor_)
		return 0;
	cursor_->settle();
	if (cursor_->at_end() || cursor_->chunk_id() != last.id)
		return 0;
	return cursor_->skip_run((end_ - cursor_->offset() - 1) / last.size + 1);
}

// --- their bytes ----------------------------------------------------------------------------

void ChunkReader::find(const WantedChunk &wanted, Place &place)
{
	const std::optional<ItemPlace> found = store_.find_item(ItemKind::chunk, wanted.chunk.id);
	if (!found)
		return;
	place.item = found->place.item;
	place.block = {found->generation, found->place.block};
	place.layer = store_.layer(found->generation);
	// Chunks of one block often follow each other.
	const Place *before = places_.size() > 1 ? &places_[places_.size() - 2] : nullptr;
	if (before && before->way == Way::solid && before->block == place.block)
		place.record = before->record;
	else
		place.record = place.layer->block(found->place.block);
	const BlockRecord &record = place.record;
	if (record.kind != static_cast<std::uint8_t>(ItemKind::chunk))
		return;
	if (record.items > 1) {
		if (record.length <= max_stored_size && record.raw_size <= max_block_size)
			place.way = Way::solid;
	} else if (record.raw_size != wanted.chunk.size || record.length < sizeof(BlockHeader) ||
		record.length > max_chunk_size + sizeof(BlockHeader)) {
		return;
	} else if (record.codec != static_cast<std::uint8_t>(Codec::none)) {
		place.way = Way::decoded;
	} else if (record.length == sizeof(BlockHeader) + wanted.chunk.size) {
		place.way = Way::raw;
	}
}

void ChunkReader::empty_table(std::size_t chunks)
{
	table_.assign(std::bit_ceil(2 * chunks + 1), no_chunk);
}

// The number of the first chunk that equals this one, which may be itself.
std::uint32_t ChunkReader::first_of(std::span<const WantedChunk> chunks, std::uint32_t number)
{
	const ContentChunk &chunk = chunks[number].chunk;
	const std::size_t mask = table_.size() - 1;
	for (std::size_t at = DigestHash()(chunk.id) & mask;; at = (at + 1) & mask) {
		if (table_[at] == no_chunk)
			return table_[at] = number;
		const ContentChunk &other = chunks[table_[at]].chunk;
		if (other.id == chunk.id && other.size == chunk.size)
			return table_[at];
	}
}

// A forged list may claim any size, and sums of these overflow.  No chunk is so large: the store is
// asked for it, and refuses it.
static std::size_t size_to_read(const ContentChunk &chunk)
{
	return chunk.size <= max_chunk_size ? chunk.size : 0;
}

std::size_t ChunkReader::locate(std::span<WantedChunk> chunks)
{
	places_.clear();
	repeats_.clear();
	empty_table(chunks.size());
	for (std::uint32_t i = 0; i < chunks.size(); i++) {
		if (const std::uint32_t first = first_of(chunks, i); first != i) {
			repeats_.push_back({i, first});
			continue;
		}
		Place &place = places_.emplace_back();
		place.chunk = i;
		try {
			find(chunks[i], place);
		} catch (const Error &) {
			place.way = Way::asked;
		}
		if (chunks[i].chunk.size > max_chunk_size)
			place.way = Way::asked;
		const bool is_alone = place.way == Way::raw || place.way == Way::decoded;
		if ((is_slow_ && is_alone) || (place.way != Way::asked && place.layer->file().has_source()))
			place.layer->file().advise_will_need(place.record.offset, place.record.length);
	}
	scratch_size_ = 0;
	const std::size_t size = place_solid(chunks, place_alone(chunks, 0));
	clock_.lap(Step::lookup);
	return size + scratch_size_;
}

// Gives all but the chunks of solid blocks their place behind the first size bytes; returns the end.
std::size_t ChunkReader::place_alone(std::span<const WantedChunk> chunks, std::size_t size)
{
	solid_.clear();
	for (Place &place : places_) {
		if (place.way == Way::solid) {
			solid_.push_back(&place);
			continue;
		}
		place.at = size;
		size += aligned(size_to_read(chunks[place.chunk].chunk));
		if (place.way == Way::decoded)
			scratch_size_ = std::max<std::size_t>(scratch_size_, place.record.length);
	}
	return size;
}

std::size_t ChunkReader::place_solid(std::span<const WantedChunk> chunks, std::size_t size)
{
	std::sort(solid_.begin(), solid_.end(), [](const Place *a, const Place *b) {
		return a->block != b->block ? a->block < b->block : a->item < b->item;
	});
	blocks_.clear();
	for (std::size_t first = 0, end; first < solid_.size(); first = end) {
		for (end = first; end < solid_.size() && solid_[end]->block == solid_[first]->block; end++)
			;
		Solid &solid = blocks_.emplace_back(Solid{first, end, false});
		solid.is_whole = is_whole(chunks, solid);
		const BlockRecord &record = solid_[first]->record;
		scratch_size_ = std::max<std::size_t>(scratch_size_,
			aligned(record.length) + (solid.is_whole ? 0 : std::size_t(record.raw_size)));
		for (std::size_t i = first; i < end; i++) {
			solid_[i]->at = size;
			const std::size_t own = chunks[solid_[i]->chunk].chunk.size;
			size += solid.is_whole ? own : aligned(own);
		}
		size = aligned(size);
	}
	return size;
}

// Whether the chunks are, one behind the other, what the block holds.
bool ChunkReader::is_whole(std::span<const WantedChunk> chunks, const Solid &solid) const
{
	const BlockRecord &record = solid_[solid.first]->record;
	if (solid.end - solid.first != record.items)
		return false;
	std::uint64_t size = 0;
	for (std::size_t i = solid.first; i < solid.end; i++) {
		if (solid_[i]->item != i - solid.first)
			return false;
		size += chunks[solid_[i]->chunk].chunk.size;
	}
	return size == record.raw_size;
}

void ChunkReader::read_alone(Place &place, MutableBytes scratch)
{
	const File &file = place.layer->file();
	const std::uint64_t offset = place.record.offset;
	if (place.way == Way::raw) {
		file.read_exactly_at(place.to, offset + sizeof(BlockHeader));
		clock_.lap(Step::read);
		return;
	}
	const MutableBytes stored = scratch.first(place.record.length);
	file.read_exactly_at(stored, offset);
	clock_.lap(Step::read);
	if (!decompressor_.decompress(static_cast<Codec>(place.record.codec),
		    stored.subspan(sizeof(BlockHeader)), place.to))
		throw CorruptError("a block does not decompress", file.name(), offset);
	clock_.lap(Step::compress);
}

BlockShape ChunkReader::decode(const Place &place, MutableBytes stored, MutableBytes raw)
{
	const File &file = place.layer->file();
	const std::uint64_t offset = place.record.offset;
	file.read_exactly_at(stored, offset);
	clock_.lap(Step::read);
	BlockShape shape = parse_block_prefix(stored, file.name(), offset);
	if (shape.length() != stored.size() || shape.kind != ItemKind::chunk || shape.raw_size != raw.size())
		throw CorruptError("a block is not as its record says", file.name(), offset);
	if (!decompressor_.decompress(shape.codec, stored.subspan(shape.prefix_size()), raw))
		throw CorruptError("a block does not decompress", file.name(), offset);
	return shape;
}

void ChunkReader::read_whole(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch)
{
	const std::span<Place *const> places = std::span(solid_).subspan(solid.first, solid.end - solid.first);
	const BlockRecord &record = places[0]->record;
	const BlockShape shape = decode(*places[0], scratch.first(record.length),
		MutableBytes(places[0]->to.data(), record.raw_size));
	const auto is_in_place = [&](std::size_t i) { return shape.sizes[i] == places[i]->to.size(); };
	for (std::size_t i = 0; i < places.size(); i++)
		if (shape.sizes.size() != places.size() || !is_in_place(i))
			return; // the store is asked for all of them
	for (const Place *place : places)
		have(chunks, *place);
}

std::shared_ptr<const DecodedBlock> ChunkReader::cached_block(const Place &place, MutableBytes scratch)
{
	if (std::shared_ptr<const DecodedBlock> block = cache_.find(place.block))
		return block;
	const MutableBytes raw = scratch.last(place.record.raw_size);
	const BlockShape shape = decode(place, scratch.first(place.record.length), raw);
	auto block = std::make_shared<DecodedBlock>();
	block->kind = shape.kind;
	block->raw.assign(raw.begin(), raw.end());
	std::uint32_t end = 0;
	for (const std::uint32_t size : shape.sizes)
		block->ends.push_back(end += size);
	cache_.insert(place.block, block);
	return block;
}

void ChunkReader::read_uncached(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch)
{
	const BlockRecord &record = solid_[solid.first]->record;
	const MutableBytes raw = scratch.last(record.raw_size);
	const BlockShape shape = decode(*solid_[solid.first], scratch.first(record.length), raw);
	std::size_t item = 0, begin = 0;
	for (std::size_t i = solid.first; i < solid.end; i++) {
		Place &place = *solid_[i];
		for (; item < place.item && item < shape.sizes.size(); item++)
			begin += shape.sizes[item];
		if (item >= shape.sizes.size() || shape.sizes[item] != place.to.size())
			continue;
		std::copy_n(raw.begin() + static_cast<std::ptrdiff_t>(begin), place.to.size(), place.to.begin());
		have(chunks, place);
	}
}

void ChunkReader::read_parts(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch)
{
	const BlockRecord &record = solid_[solid.first]->record;
	const MutableBytes room = scratch.first(aligned(record.length) + record.raw_size);
	if (!keeps_blocks_) {
		read_uncached(chunks, solid, room);
		return;
	}
	const auto block = cached_block(*solid_[solid.first], room);
	for (std::size_t i = solid.first; i < solid.end; i++) {
		Place &place = *solid_[i];
		if (place.item >= block->ends.size() || block->kind != ItemKind::chunk)
			continue;
		const Bytes bytes = block->item(place.item);
		if (bytes.size() != place.to.size())
			continue;
		std::copy(bytes.begin(), bytes.end(), place.to.begin());
		have(chunks, place);
	}
}

// The bytes of a chunk are in their place, and not verified.
void ChunkReader::have(std::span<WantedChunk> chunks, const Place &place)
{
	chunks[place.chunk].bytes = place.to;
	jobs_.push_back({place.to, &digests_[place.chunk]});
	jobs_size_ += place.to.size();
}

void ChunkReader::verify(std::span<WantedChunk> chunks)
{
	clock_.lap(Step::compress);
	const Region region("verify");
	sha256_many(jobs_);
	clock_.lap(Step::hash);
	for (const HashJob &job : jobs_) {
		WantedChunk &wanted = chunks[static_cast<std::size_t>(job.digest - digests_.data())];
		if (*job.digest != wanted.chunk.id)
			wanted.bytes = {};
	}
	jobs_.clear();
	jobs_size_ = 0;
}

CorruptError wrong_chunk_size(const Digest &chunk)
{
	return CorruptError("chunk " + to_hex(chunk) + " has another size than the list that names it says");
}

void ChunkReader::ask(WantedChunk &wanted, MutableBytes to)
{
	try {
		const Buffer bytes = store_.read_item(ItemKind::chunk, wanted.chunk.id);
		if (bytes.size() != wanted.chunk.size)
			throw wrong_chunk_size(wanted.chunk.id);
		std::copy(bytes.begin(), bytes.end(), to.begin());
		wanted.bytes = to;
	} catch (const Error &error) {
		wanted.failure = error.what();
		wanted.status = error.status();
	}
}

void ChunkReader::read(std::span<WantedChunk> chunks, MutableBytes memory, MutableBytes scratch)
{
	using Clock = std::chrono::steady_clock;
	scratch = scratch.first(scratch_size_);
	jobs_.clear();
	jobs_size_ = 0;
	digests_.resize(chunks.size());
	Clock::duration reading{};
	std::uint64_t raw_size = 0;
	for (Place &place : places_) {
		WantedChunk &wanted = chunks[place.chunk];
		place.to = memory.subspan(place.at, size_to_read(wanted.chunk));
		if (place.way != Way::raw && place.way != Way::decoded)
			continue;
		try {
			const Clock::time_point start = Clock::now();
			read_alone(place, scratch);
			if (place.way == Way::raw) {
				reading += Clock::now() - start;
				raw_size += place.to.size();
			}
			have(chunks, place);
		} catch (const Error &) {
			// The store is asked for it.
		}
	}
	if (raw_size > 0)
		is_slow_ = static_cast<std::uint64_t>(std::chrono::nanoseconds(reading).count()) * slow_rate > raw_size;
	for (const Solid &solid : blocks_) {
		try {
			solid.is_whole ? read_whole(chunks, solid, scratch) : read_parts(chunks, solid, scratch);
		} catch (const Error &) {
			// The store is asked for them.
		}
		if (jobs_size_ >= enough_to_verify && jobs_.size() >= many_to_verify)
			verify(chunks);
	}
	verify(chunks);
	for (Place &place : places_)
		if (!chunks[place.chunk].bytes.data())
			ask(chunks[place.chunk], place.to);
	for (const Repeat &repeat : repeats_)
		chunks[repeat.chunk].take_result(chunks[repeat.first]);
}

} // namespace dig
