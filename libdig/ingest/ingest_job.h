// A large file, or a stream, that several workers take segments of.  For ingest*.cpp alone.
#ifndef DIG_INGEST_JOB_H
#define DIG_INGEST_JOB_H

#include <deque>

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/ingest/ingest.h"
#include "libdig/ingest/ingest_ring.h"

namespace dig {

struct Ingest::Job {
	static constexpr std::uint64_t hole_limit = 1_MiB; // shorter holes are read

	Source source;
	File file;
	std::optional<File> direct; // the same, past the page cache
	SourceOutcome outcome;
	std::uint64_t size = 0;
	bool is_mapped = false;
	// So many bytes have no block, and so many more may be holes, since a file's blocks are not all of
	// its content.  0 once holes that were said to be there are more together: then all is read.
	std::uint64_t hole_budget = 0, hole_tolerance = 0;

	// Claiming, under the mutex.  A file of one segment is opened by the worker that reads it.
	enum class Opening : std::uint8_t { closed, under_way, done } opening = Opening::closed;
	bool is_single = false;
	bool is_reading = false; // a segment of a stream, and its end may come
	std::uint64_t next_offset = 0;
	std::uint64_t next_hole = 0; // the size of the hole at next_offset, once it was looked for
	bool is_next_known = false, is_behind_hole = false;
	std::uint32_t claimed = 0;
	bool all_claimed = false;
	std::deque<Claim *> uncut; // in the order of their offsets
	bool is_cutting = false;   // a worker, which goes on while the next segment is read

	// Cutting: one worker at a time.
	Chunker chunker;
	const ChunkingParameters chunking;
	Bytes carry; // the end of what was read and has no cut yet: in the ring, or zeros that are nowhere
	std::uint64_t carry_position = 0; // in the ring; it is in use from there on
	Hasher whole;                     // core.file_digest
	bool has_ended = false;           // before its size, where what changes is taken
	std::uint64_t cut_end = 0;        // of the last piece that was cut

	// Committing, in order.
	std::uint32_t committed = 0;
	std::uint64_t committed_end = 0; // of the last chunk
	bool is_finished = false;

	Job(Source from, const ChunkingParameters &parameters, std::uint64_t segment);

	// Opens the file.  A file that cannot be opened has one segment, without content, and its outcome
	// says why.  One thread, without the mutex.
	void open_file(const Shared &shared);
	// Makes the next segment that of the claim, with room in the ring; false while there is none.
	bool claim(Claim &claim, Shared &shared);
	// Cuts the segment into the pieces of the claim.
	void cut(Claim &claim, const Shared &shared);

private:
	bool claim_stream(Claim &claim, Shared &shared);
	std::uint64_t hole_at(std::uint64_t offset);
	std::uint64_t largest_chunk_at(std::uint64_t offset) const;
	bool reserve(Claim &claim, std::size_t room, std::size_t in_front, Shared &shared);
	void cut_data(Claim &claim);
	void cut_hole(Claim &claim);
	std::uint8_t *carry_to(const Claim &claim);
	void keep(const Claim &claim, const std::uint8_t *from, std::size_t size);
	void hash_whole(const Claim &claim);
};

// Opens the file of a source, or takes it if it is open.
File open_source(const File &root, const Source &source);

// A writer that empties a file is about to write another: it is not worth a second reading now.
inline std::string cut_short(const std::string &path)
{
	return quote(path) + " was cut short while it was read; add it again when it is complete";
}

} // namespace dig

#endif
