// How a large file is divided among workers and still cut in one way.
//
// Segments have a fixed size, and chunks do not: a chunk ends where the content says, and may begin in
// one segment and end in the next.  So the segments are read by several workers at once, and cut in
// turns, which is cheap beside hashing and compressing.  What lies behind the last cut of a segment is
// kept in carry, and copied in front of the next segment, whose unit has room there.  Thus the cuts are
// those of one pass over the file, whatever the number of workers and the size of a segment.
//
// A stream has no size, so its segments are read in turns, too.
//
// A hole is one segment however large it is, and nothing of it is read.  The chunk that leads into it
// is cut as any other.  Behind it all chunks are equal within a tier of sizes, and pass as one piece
// with a count.  File systems are believed only as far as their answers agree: holes may not be more
// than the bytes that have no block, and a little.  A file system that says more is read.
//
// After a failure no further segment is claimed; those that are under way have no pieces.
#include "libdig/ingest/ingest_job.h"

#include <algorithm>
#include <cstring>

#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/ingest/ingest_unit.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t hole_limit = 1_MiB; // shorter holes are read
// What is not in the page cache is read past it, from files of this size on: filling the cache costs
// more than all hashing, and it pushes out what others have there.
constexpr std::uint64_t uncached_limit = 16_MiB;

Ingest::Job::Job(Source from, const ChunkingParameters &chunking)
	: source(std::move(from)), next_offset(source.resume_offset), chunker(chunking, source.resume_offset),
	  largest_chunk(chunking.largest_chunk()), committed_end(source.resume_offset)
{
}

void Ingest::Job::claim(Unit &unit, const Shared &shared)
{
	if (!is_open)
		open_file(shared);
	unit.segment = claimed++;
	unit.offset = next_offset;
	if (source.stream || all_claimed)
		return;
	const std::uint64_t left = size - next_offset;
	unit.size = std::min(left, shared.segment_size);
	if (const std::uint64_t hole = hole_at(next_offset); hole >= hole_limit) {
		unit.is_hole = true;
		unit.size = hole;
	}
	next_offset += unit.size;
	unit.is_last = all_claimed = next_offset == size;
}

// The size of the hole that begins at offset; 0 for none.
std::uint64_t Ingest::Job::hole_at(std::uint64_t offset)
{
	if (hole_budget < hole_limit)
		return 0;
	const std::uint64_t hole = file.next_data(offset, size) - offset;
	if (hole > hole_budget && hole - hole_budget > hole_tolerance)
		return hole_budget = 0;
	const std::uint64_t taken = std::min(hole, hole_budget);
	if (taken < hole_limit)
		return 0;
	hole_budget -= taken;
	return taken;
}

void Ingest::Job::open_file(const Shared &shared)
{
	is_open = true;
	if (source.read_began_ns == 0)
		source.read_began_ns = now_ns();
	outcome.read_began_ns = source.read_began_ns;
	if (source.stream)
		return;
	try {
		file = open_source(shared.root, source);
		outcome.stat = file.stat();
		if (outcome.stat.type != FileType::regular)
			throw Error("it is no regular file any more");
		size = outcome.stat.size;
		const std::uint64_t allocated = outcome.stat.blocks * 512;
		hole_budget = size - std::min(size, allocated);
		hole_tolerance = std::max(hole_limit, allocated / 64);
		if (size < source.resume_offset)
			throw Error("it is shorter than what was taken of it before");
		const std::uint64_t mapped_from = shared.settings.performance.memory_map_threshold;
		is_mapped = mapped_from > 0 && size >= mapped_from;
		if (shared.settings.performance.async_io && size >= uncached_limit && !is_mapped)
			direct = file.past_cache();
	} catch (const Error &error) {
		outcome.error = error.what();
		all_claimed = true;
	}
}

File open_source(const File &root, const Source &source)
{
	if (source.opened)
		return std::move(*source.opened);
	return open_beneath(root, source.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static void add_piece(std::vector<Piece> &pieces, MutableBytes bytes)
{
	pieces.push_back({bytes, bytes.size(), {}, 1});
}

void Ingest::Job::cut(Unit &unit, std::size_t size)
{
	if (unit.is_hole)
		cut_hole(unit);
	else
		cut_data(unit, size);
}

// Cuts what the segment before has left and this one.
void Ingest::Job::cut_data(Unit &unit, std::size_t size)
{
	const Region region("cut");
	std::uint8_t *at = unit.data() - carry_size;
	if (carry_size)
		std::memcpy(at, carry.data(), carry_size);
	std::uint8_t *const end = unit.data() + size;
	while (at < end) {
		const std::size_t n = chunker.next({at, end}, unit.is_last);
		if (n == 0)
			break;
		add_piece(unit.pieces, {at, n});
		at += n;
	}
	keep(at, static_cast<std::size_t>(end - at));
}

// The bytes behind the last cut go in front of the next segment.
void Ingest::Job::keep(const std::uint8_t *from, std::size_t size)
{
	carry_size = size;
	if (size == 0)
		return;
	if (carry.size() == 0)
		carry = Arena(largest_chunk);
	std::memmove(carry.data(), from, size);
}

// The chunk that leads into the hole is cut as any other; behind it there is a piece for each tier.
void Ingest::Job::cut_hole(Unit &unit)
{
	std::uint64_t left = unit.size;
	std::uint8_t *buffer = unit.in.data() + window_room;
	std::size_t have = carry_size; // bytes from the data before
	const std::uint64_t maximum = chunker.limits().maximum;
	if (have)
		std::memcpy(buffer, carry.data(), have);
	while (have > 0) {
		// As many zeros as decide the cut.  The data before is shorter than the largest chunk, so that
		// both fit into the buffer.
		const std::size_t zeros =
			std::min<std::uint64_t>(left, maximum - std::min<std::uint64_t>(have, maximum));
		std::memset(buffer + have, 0, zeros);
		const bool is_last = unit.is_last && zeros == left;
		const std::size_t n = chunker.next({buffer, have + zeros}, is_last);
		if (n == 0) {
			keep(buffer, have + zeros);
			return;
		}
		add_piece(unit.pieces, {buffer, n});
		buffer += n;
		if (n >= have) {
			left -= n - have;
			have = 0;
		} else {
			have -= n;
		}
	}
	while (left > 0) {
		const std::uint64_t whole = chunker.zero_chunk_size();
		if (left < whole && !unit.is_last)
			break;
		const std::uint64_t size = std::min(left, whole);
		const std::uint64_t count = std::max<std::uint64_t>(chunker.zero_chunk_count(left), 1);
		unit.pieces.push_back({{}, size, zero_digest(size), count});
		chunker.skip(size, count);
		left -= size * count;
	}
	if (left > 0)
		keep(zero_bytes(left).data(), left);
	else
		carry_size = 0;
}

void Ingest::Job::hash_whole(const Unit &unit)
{
	for (const Piece &piece : unit.pieces) {
		if (!piece.bytes.empty()) {
			whole.update(piece.bytes);
			continue;
		}
		// There is no short way to the digest of a hole.
		for (std::uint64_t i = 0; i < piece.count; i++) {
			check_interrupted();
			whole.update(zero_bytes(piece.size));
		}
	}
}

} // namespace dig
