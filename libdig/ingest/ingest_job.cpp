// How a large file is divided among workers and still cut in one way.
//
// Segments have a fixed size, and chunks do not: a chunk ends where the content says, and may begin in
// one segment and end in the next.  So the segments are read by several workers at once, and cut one
// after the other, which is cheap beside hashing and compressing.  Segments lie in the ring one behind
// the other.  What lies behind the last cut of a segment (carry) is therefore in front of the next one
// already; it is copied only where a lap of the ring begins, and behind a hole.  Thus the cuts are
// those of one pass over the file, whatever the number of workers and the size of a segment.
//
// A stream has no size, so one segment of it is read at a time.  Its room ends where its bytes do.
//
// A hole is one segment however large it is, and nothing of it is read.  The chunk that leads into it
// is cut as any other, so it needs room for zeros.  Behind it all chunks are equal within a tier of
// sizes, and pass as one piece with a count.  File systems are believed only as far as their answers
// agree: holes may not be more than the bytes that have no block, and a little.  A file system that says
// more is read.
//
// After a failure no further segment is claimed; those that are under way have no pieces.
#include "libdig/ingest/ingest_job.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/ingest/ingest_unit.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"

namespace dig {

// What is not in the page cache is read past it, from files of this size on: filling the cache costs
// more than all hashing, and it pushes out what others have there.
constexpr std::uint64_t uncached_limit = 16_MiB;

Ingest::Job::Job(Source from, const ChunkingParameters &parameters, std::uint64_t segment)
	: source(std::move(from)), next_offset(source.resume_offset), chunker(parameters, source.resume_offset),
	  chunking(parameters), cut_end(source.resume_offset), committed_end(source.resume_offset)
{
	// A file that may change is taken as it is found when it is opened.
	is_single = !source.stream && source.resume_offset == 0 && !source.takes_changing && source.stat->size <= segment;
	if (is_single)
		size = source.stat->size;
}

bool Ingest::Job::claim(Claim &claim, Shared &shared)
{
	const std::size_t segment = shared.plan.segment;
	claim.offset = next_offset;
	claim.size = 0;
	claim.is_hole = false;
	if (source.stream) {
		if (!claim_stream(claim, shared))
			return false;
	} else if (all_claimed) {
		if (!reserve(claim, 1, 0, shared))
			return false;
	} else {
		if (!is_next_known)
			next_hole = hole_at(next_offset);
		is_next_known = true;
		claim.is_hole = next_hole > 0;
		claim.size = claim.is_hole ? next_hole
					   : std::min<std::uint64_t>(size - next_offset, segment - next_offset % IngestRing::unit);
		const std::size_t room = claim.is_hole ? std::min(claim.size, largest_chunk_at(next_offset)) : claim.size;
		if (!reserve(claim, room, is_behind_hole ? largest_chunk_at(next_offset) : 0, shared))
			return false;
		next_offset += claim.size;
		is_next_known = false;
		is_behind_hole = claim.is_hole;
		claim.is_last = all_claimed = next_offset == size;
	}
	claimed++;
	uncut.push_back(&claim);
	return true;
}

// What comes next, until a segment is full; or a hole that was told by a frame.
bool Ingest::Job::claim_stream(Claim &claim, Shared &shared)
{
	const std::uint64_t hole = source.zeros_left >= hole_limit ? source.zeros_left : 0;
	const std::uint64_t chunk = largest_chunk_at(next_offset);
	const std::size_t room = hole > 0 ? std::min(hole, chunk) : shared.plan.segment;
	if (!reserve(claim, room, is_behind_hole ? chunk : 0, shared))
		return false;
	claim.size = hole > 0 ? hole : room;
	claim.is_hole = is_behind_hole = hole > 0;
	is_reading = hole == 0;
	next_offset += hole;
	source.zeros_left -= hole;
	return true;
}

// Room for the bytes of a segment, and in front of it for a carry that does not lie there already.
bool Ingest::Job::reserve(Claim &claim, std::size_t room, std::size_t in_front, Shared &shared)
{
	// The end of a file is read in whole units, too.
	const bool is_end = !source.stream && next_offset + claim.size >= size;
	const std::size_t wanted = in_front + std::max<std::size_t>(1, is_end ? IngestRing::whole_units(room) : room);
	const std::uint64_t chunk = largest_chunk_at(claim.offset + room);
	const std::size_t least = claim.is_hole || in_front > 0 ? shared.plan.least_ring_at_hole(chunk)
								 : shared.plan.least_ring(chunk);
	const std::size_t limit = std::max(shared.ring_limit(), least);
	shared.ring.give_back(limit);
	std::optional<std::size_t> phase;
	if (!source.stream)
		phase = (claim.offset + IngestRing::unit - in_front % IngestRing::unit) % IngestRing::unit;
	const std::optional<IngestRing::Room> reserved = shared.ring.reserve(wanted, limit, phase);
	if (!reserved)
		return false;
	claim.room = *reserved;
	claim.data = reserved->data + in_front;
	return true;
}

// The largest chunk that starts at or before offset.
std::uint64_t Ingest::Job::largest_chunk_at(std::uint64_t offset) const
{
	std::uint64_t target = 0;
	for (std::uint64_t at = 0; at <= offset; at = chunking.target_end(at)) {
		target = std::max(target, chunking.target_at(at));
		if (chunking.target_end(at) == std::numeric_limits<std::uint64_t>::max())
			break;
	}
	return limits_for_target(target).maximum;
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
		if (is_single && outcome.stat.size != size) {
			outcome.has_changed = true;
			return;
		}
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

void Ingest::Job::cut(Claim &claim, const Shared &shared)
{
	const Region region("cut");
	has_ended = claim.is_cut_short;
	if (claim.is_hole)
		cut_hole(claim);
	else
		cut_data(claim);
	if (shared.settings.core.file_digest)
		hash_whole(claim);
}

// What the segments before have left goes in front of this one, if it is not there.  Returns where it
// begins.
std::uint8_t *Ingest::Job::carry_to(const Claim &claim)
{
	std::uint8_t *const to = claim.data - carry.size();
	if (!carry.empty() && carry.data() != to) {
		std::memcpy(to, carry.data(), carry.size());
		carry_position = claim.position_of(to);
	}
	return to;
}

// These bytes have no cut yet.
void Ingest::Job::keep(const Claim &claim, const std::uint8_t *from, std::size_t size)
{
	carry = {from, size};
	carry_position = size > 0 ? claim.position_of(from) : claim.room.end;
}

void Ingest::Job::cut_data(Claim &claim)
{
	std::uint8_t *at = carry_to(claim);
	std::uint8_t *const end = claim.data + claim.read_size;
	while (at < end) {
		const std::size_t n = chunker.next({at, end}, claim.is_last);
		if (n == 0)
			break;
		add_piece(claim.pieces, {at, n});
		at += n;
	}
	keep(claim, at, static_cast<std::size_t>(end - at));
}

// The chunk that leads into the hole is cut as any other; behind it there is a piece for each tier.
void Ingest::Job::cut_hole(Claim &claim)
{
	std::uint64_t left = claim.size;
	std::uint8_t *buffer = carry_to(claim);
	std::size_t have = carry.size(); // bytes from the data before
	while (have > 0) {
		// As many zeros as decide the cut.  The room has as many as the largest chunk.
		const std::uint64_t maximum = chunker.limits().maximum;
		const std::size_t zeros =
			std::min<std::uint64_t>(left, maximum - std::min<std::uint64_t>(have, maximum));
		std::memset(buffer + have, 0, zeros);
		const bool is_last = claim.is_last && zeros == left;
		const std::size_t n = chunker.next({buffer, have + zeros}, is_last);
		if (n == 0)
			return keep(claim, buffer, have + zeros);
		add_piece(claim.pieces, {buffer, n});
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
		if (left < whole && !claim.is_last)
			break;
		const std::uint64_t size = std::min(left, whole);
		const std::uint64_t count = std::max<std::uint64_t>(chunker.zero_chunk_count(left), 1);
		claim.pieces.push_back({{}, size, zero_digest(size), count});
		chunker.skip(size, count);
		left -= size * count;
	}
	carry = left > 0 ? zero_bytes(left) : Bytes();
	carry_position = claim.room.end;
}

void Ingest::Job::hash_whole(const Claim &claim)
{
	for (const Piece &piece : claim.pieces) {
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
