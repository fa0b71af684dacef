#include "libdig/ingest/block_builder.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "libdig/base/zeros.h"
#include "libdig/staging/node_blocks.h"

namespace dig {

// Small chunks are compressed together, in blocks of about this size; Documentation/Design has the
// measurements behind it.
constexpr std::uint64_t solid_block = 768_KiB;
constexpr std::uint64_t solid_chunk_limit = 64_KiB;
constexpr std::size_t probe_size = 16_KiB;
constexpr std::size_t own_room = 2_MiB; // one huge page

BlockBuilder::BlockBuilder(const Settings &settings, std::uint64_t small_limit)
	: compressor_(codec_of(settings), static_cast<int>(settings.core.compression_level)),
	  may_vary_effort_(settings.core.compression == Compression::automatic && settings.core.compression_level == 0),
	  threshold_(settings.performance.compression_threshold), small_limit_(small_limit)
{
	if (compressor_.codec() != Codec::none)
		own_room_ = Arena(own_room);
}

bool BlockBuilder::is_small(std::uint64_t size) const
{
	return size < solid_chunk_limit || size <= small_limit_;
}

void BlockBuilder::build(std::span<Piece *const> pieces, MutableBytes spare, Effort effort,
	std::vector<ReadyBlock> &blocks, std::vector<Buffer> &apart)
{
	spare_ = spare;
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
			add({const_cast<std::uint8_t *>(pieces[0]->bytes.data()), pieces[0]->size}, pieces.first(1));
		}
		pieces = pieces.subspan(taken);
	}
}

// A block of small pieces from the first on; they are moved together in memory.
std::size_t BlockBuilder::add_solid(std::span<Piece *const> pieces, std::uint64_t target)
{
	auto *const start = const_cast<std::uint8_t *>(pieces[0]->bytes.data());
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
	const auto try_in = [&](MutableBytes room) {
		if (const Bytes payload = compressed(raw, room); !payload.empty()) {
			std::memcpy(raw.data(), payload.data(), payload.size());
			block.payload = Bytes(raw).first(payload.size());
			block.codec = compressor_.codec();
		}
	};
	// What is compressed has to be shorter than what it was, so that much room is enough.
	const MutableBytes room = own_room_.size() >= raw.size() ? own_room_.bytes() : spare_;
	if (room.size() >= raw.size()) {
		try_in(room);
	} else if (compressor_.codec() != Codec::none) {
		// Two of the largest chunks side by side, which is rare: one room for all threads.
		static std::mutex mutex;
		static Arena shared_room;
		std::lock_guard guard(mutex);
		if (shared_room.size() < raw.size())
			shared_room = Arena(raw.size());
		try_in(shared_room.bytes());
	}
	blocks_->push_back(std::move(block));
}

// Nobody's memory holds them, so what becomes of them needs some of its own.
void BlockBuilder::add_zeros(Piece &piece)
{
	Piece *const pieces[] = {&piece};
	ReadyBlock block = block_of(pieces);
	block.payload = zero_bytes(piece.size);
	if (compressor_.codec() != Codec::none && piece.size >= threshold_) {
		Buffer payload(64_KiB);
		payload.resize(compressor_.compress(block.payload, payload, payload.size()));
		if (!payload.empty()) {
			apart_->push_back(std::move(payload));
			block.payload = apart_->back();
			block.codec = compressor_.codec();
		}
	}
	blocks_->push_back(std::move(block));
}

// In the room, or nothing when the block stays as it is.
Bytes BlockBuilder::compressed(Bytes raw, MutableBytes room)
{
	if (compressor_.codec() == Codec::none || raw.size() < threshold_)
		return {};
	if (raw.size() >= 8 * probe_size && !looks_compressible(raw, room))
		return {};
	return Bytes(room).first(compressor_.compress(raw, room, raw.size() - raw.size() / 20, effort_));
}

// Three samples: content that shrinks nowhere in them is not worth the whole.
bool BlockBuilder::looks_compressible(Bytes raw, MutableBytes room)
{
	for (std::size_t at : {std::size_t(0), raw.size() / 2, raw.size() - probe_size})
		if (compressor_.compress(raw.subspan(at, probe_size), room, probe_size - probe_size / 32))
			return true;
	return false;
}

} // namespace dig
