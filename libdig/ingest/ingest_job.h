// A large file, or a stream, that several workers take segments of.  For ingest*.cpp alone.
#ifndef DIG_INGEST_JOB_H
#define DIG_INGEST_JOB_H

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/ingest/ingest.h"
#include "libdig/os/arena.h"

namespace dig {

constexpr std::size_t window_room = 64; // readable bytes before the first one scanned

struct Ingest::Job {
	Source source;
	File file;
	std::optional<File> direct; // the same, past the page cache
	SourceOutcome outcome;
	std::uint64_t size = 0;
	bool is_open = false, is_mapped = false;
	// So many bytes have no block, and so many more may be holes, since a file's blocks are not all of
	// its content.  0 once holes that were said to be there are more together: then all is read.
	std::uint64_t hole_budget = 0, hole_tolerance = 0;
	// Claiming, under the mutex.
	std::uint64_t next_offset = 0;
	std::uint32_t claimed = 0;
	bool all_claimed = false;
	// Reading a stream, and cutting: turns by number of segment.
	std::uint32_t read_turn = 0, cut_turn = 0;
	bool at_end = false; // of the stream
	Chunker chunker;
	std::uint64_t largest_chunk;
	Arena carry; // the end of the segment before, which has no cut yet
	std::size_t carry_size = 0;
	Hasher whole; // core.file_digest
	bool has_ended = false; // before its size, where what changes is taken
	// Committing, in order.
	std::uint32_t committed = 0;
	std::uint64_t committed_end = 0; // of the last chunk
	bool is_finished = false;

	Job(Source from, const ChunkingParameters &chunking);

	// Makes the next segment that of the unit, and opens the file before the first.  A file that cannot
	// be opened has one segment, without content, and its outcome says why.  Under the mutex.
	void claim(Unit &unit, const Shared &shared);
	// Cuts the segment of the unit into pieces; size bytes of it were read.  In the turn of the segment.
	void cut(Unit &unit, std::size_t size);
	// The pieces of the unit are part of the digest of the whole.  In the turn of the segment.
	void hash_whole(const Unit &unit);

private:
	void open_file(const Shared &shared);
	std::uint64_t hole_at(std::uint64_t offset);
	void cut_data(Unit &unit, std::size_t size);
	void cut_hole(Unit &unit);
	void keep(const std::uint8_t *from, std::size_t size);
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
