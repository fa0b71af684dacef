// How pieces become blocks.
//
// A block is compressed as a whole, and a reader decodes all of it to get one item.  So larger blocks
// compress better, and smaller ones are cheaper to read from.  A large piece has a block of its own.
// Small ones (is_small) share blocks of about 768 KiB, in their order: files that follow each other
// in a directory are alike.  Blocks of 256 KiB took 2 % more room and 6 % more time; much larger ones
// would make random access slower.  The number of such blocks is found first and the bytes are
// divided by it, so that no short rest is left over, which would compress badly.
//
// Memory is what bounds the number of workers, so blocks take none.  Pieces lie one behind the other
// in the ring, with gaps where a piece is stored already and needs no block.  The pieces of a block
// are moved together in place.  Their compressed form is made in a room of the pool and copied over
// them, where it fits because it is shorter.  So payloads are views of the ring, until the committer
// has written them.  The copy takes a hundredth of the time of compressing.  A buffer for each
// compressed block would be simpler, and would cost as much memory as another worker.
//
// Two things are cheaper than compressing.  Content that shrinks in none of three samples is stored
// as it is: large files are often compressed already, and to try the whole costs more than to hash
// it.  A piece of a hole lies in no memory; it is compressed from a constant page of zeros into a few
// bytes of its own.
//
// Nothing is stored here.  A crash loses the blocks that were not appended, and nothing else.
#include "libdig/ingest/block_builder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "libdig/base/zeros.h"

namespace dig {

// Small chunks share blocks of about this size; Documentation/Design has the measurements.
constexpr std::uint64_t solid_block = 768_KiB;
constexpr std::uint64_t solid_chunk_limit = 64_KiB;
constexpr std::size_t sample_room = 16_KiB;

BlockBuilder::BlockBuilder(const Settings &settings, CompressorPool &pool, std::uint64_t small_limit)
	: pool_(pool),
	  may_vary_effort_(settings.core.compression == Compression::automatic && settings.core.compression_level == 0),
	  threshold_(settings.performance.compression_threshold), small_limit_(small_limit)
{
}

bool BlockBuilder::is_small(std::uint64_t size) const
{
	return size < solid_chunk_limit || size <= small_limit_;
}

void BlockBuilder::build(std::span<Piece *const> pieces, Effort effort, std::vector<ReadyBlock> &blocks,
	std::vector<Buffer> &apart)
{
	effort_ = may_vary_effort_ ? effort : Effort::usual;
	blocks_ = &blocks;
	apart_ = &apart;
	std::uint64_t small_bytes = 0;
	for (const Piece *piece : pieces)
		if (is_small(piece->size))
			small_bytes += piece->size;
	// Blocks of even size: no small rest that compresses badly.
	std::uint64_t left = std::max<std::uint64_t>(1, (small_bytes + solid_block / 2) / solid_block);
	while (!pieces.empty()) {
		std::size_t taken = 1;
		if (pieces[0]->bytes.empty()) {
			small_bytes -= is_small(pieces[0]->size) ? pieces[0]->size : 0;
			add_zeros(*pieces[0]);
		} else if (is_small(pieces[0]->size)) {
			taken = add_solid(pieces, (small_bytes + left - 1) / left);
			for (const Piece *piece : pieces.first(taken))
				small_bytes -= piece->size;
			left -= left > 1;
		} else {
			add(pieces[0]->bytes, pieces.first(1));
		}
		pieces = pieces.subspan(taken);
	}
}

// A block of small pieces from the first on; they are moved together in memory.
std::size_t BlockBuilder::add_solid(std::span<Piece *const> pieces, std::uint64_t target)
{
	std::uint8_t *const start = pieces[0]->bytes.data();
	std::size_t size = 0, count = 0;
	for (; count < std::min<std::size_t>(pieces.size(), max_block_items); count++) {
		const Piece &piece = *pieces[count];
		if (count > 0 && (!is_small(piece.size) || piece.bytes.empty() || size + piece.size / 2 > target))
			break;
		if (start + size != piece.bytes.data())
			std::memmove(start + size, piece.bytes.data(), piece.size);
		size += piece.size;
	}
	add({start, size}, pieces.first(count));
	return count;
}

static ReadyBlock block_of(std::span<Piece *const> pieces)
{
	ReadyBlock block{ItemKind::chunk, Codec::none, {}, {}, {}};
	block.sizes.reserve(pieces.size());
	block.digests.reserve(pieces.size());
	for (const Piece *piece : pieces) {
		block.sizes.push_back(static_cast<std::uint32_t>(piece->size));
		block.digests.push_back(piece->id);
	}
	return block;
}

void BlockBuilder::add(MutableBytes raw, std::span<Piece *const> pieces)
{
	ReadyBlock block = block_of(pieces);
	block.payload = raw;
	if (pool_.codec() != Codec::none && raw.size() >= threshold_)
		compress(raw, block);
	blocks_->push_back(std::move(block));
}

void BlockBuilder::compress(MutableBytes raw, ReadyBlock &block)
{
	CompressorPool::CompressorLease compressor(pool_);
	std::array<std::uint8_t, sample_room> samples;
	if (!compressor->looks_compressible(raw, samples))
		return;
	// The compressed form has to be shorter than raw, so that a room of that size is enough.
	const CompressorPool::RoomLease room(pool_, raw.size());
	const BlockPayload payload = compressor->compress(raw, room.bytes(), effort_);
	if (payload.codec == Codec::none)
		return;
	std::memcpy(raw.data(), payload.bytes.data(), payload.bytes.size());
	block.payload = Bytes(raw).first(payload.bytes.size());
	block.codec = payload.codec;
}

// No memory holds a hole, so its payload needs some of its own.
void BlockBuilder::add_zeros(Piece &piece)
{
	Piece *const pieces[] = {&piece};
	ReadyBlock block = block_of(pieces);
	block.payload = zero_bytes(piece.size);
	if (pool_.codec() != Codec::none && piece.size >= threshold_) {
		Buffer room(64_KiB);
		CompressorPool::CompressorLease compressor(pool_);
		const BlockPayload payload = compressor->compress(block.payload, room);
		if (payload.codec != Codec::none) {
			apart_->emplace_back(payload.bytes.begin(), payload.bytes.end());
			block.payload = apart_->back();
			block.codec = payload.codec;
		}
	}
	blocks_->push_back(std::move(block));
}

} // namespace dig
