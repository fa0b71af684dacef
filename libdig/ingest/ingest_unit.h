// What the parts of ingest share: units of work with the memory for them, the files they are of, and
// who is to take what.  For ingest*.cpp alone.
#ifndef DIG_INGEST_UNIT_H
#define DIG_INGEST_UNIT_H

#include <condition_variable>
#include <deque>
#include <mutex>

#include "libdig/base/error.h"
#include "libdig/ingest/block_builder.h"
#include "libdig/ingest/ingest.h"
#include "libdig/os/arena.h"
#include "libdig/os/thread.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::size_t window_room = 64; // readable bytes before the first one scanned
constexpr std::uint64_t batch_bytes = 1536_KiB;
constexpr std::uint64_t direct_unit = 4096; // of O_DIRECT

// A large file, or a stream, that several workers take segments of.
struct Ingest::Job {
	Source source;
	File file;
	std::optional<File> direct; // the same, past the page cache
	SourceOutcome outcome;
	std::uint64_t size = 0;
	bool is_open = false;
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
	Arena carry;
	std::size_t carry_size = 0;
	Hasher whole; // core.file_digest
	bool has_ended = false; // before its size, where what changes is taken
	// Committing, in order.
	std::uint32_t committed = 0;
	std::uint64_t committed_end = 0; // of the last chunk
	bool is_finished = false;

	Job(Source from, const ChunkingParameters &chunking)
		: source(std::move(from)), next_offset(source.resume_offset),
		  chunker(chunking, source.resume_offset), committed_end(source.resume_offset)
	{
	}
};

// What a worker takes through all steps and the committer takes to the pack, with the memory for it.
struct Ingest::Unit {
	const bool is_large; // for segments; else for batches
	bool is_free = true, is_ready = false;
	std::size_t headroom; // in front of what is read, for what was left of the segment before
	Arena in;

	std::uint64_t ticket = 0;
	std::vector<Source> batch;
	std::vector<SourceOutcome> outcomes; // of the batch
	// Or a segment:
	std::shared_ptr<Job> job;
	std::uint32_t segment = 0;
	std::uint64_t offset = 0, size = 0;
	bool is_hole = false, is_last = false;
	bool is_cut_short = false; // the file ends in it, before its size
	std::uint64_t first_cut = 0; // where its pieces begin

	std::vector<Piece> pieces;
	std::vector<ReadyBlock> blocks;
	std::vector<Buffer> apart;

	Unit(bool large, std::size_t room_before, std::size_t size)
		: is_large(large), headroom(room_before), in(room_before + size)
	{
	}
	std::uint8_t *data() const { return in.data() + headroom; }
	// Gives up the file, too, with what it holds open and in memory.
	void clear()
	{
		batch.clear();
		outcomes.clear();
		job.reset();
		offset = size = first_cut = 0;
		is_hole = is_last = is_cut_short = false;
		pieces.clear();
		blocks.clear();
		apart.clear();
	}
};

// Under the mutex, where nothing else is said.
struct Ingest::Shared {
	Settings settings;
	ChunkingParameters chunking;
	const File &root;
	IngestSink &sink;
	std::uint64_t segment_size, small_limit, batch_size;
	std::size_t workers, most_large_units, most_small_units;

	std::mutex mutex;
	std::condition_variable changed;
	struct Item {
		std::vector<Source> batch;
		std::shared_ptr<Job> job;
	};
	std::deque<Item> queue;
	std::vector<Source> collecting;
	std::uint64_t collecting_bytes = 0;
	std::uint64_t next_ticket = 0, commit_turn = 0;
	std::vector<std::unique_ptr<Unit>> units;
	Work &work;
	bool has_stream = false;
	// The committer first, then workers.  The last member, since the others are what threads use.
	Workers threads{[this] { wake_all(); }};

	Shared(const Settings &from, const ChunkingParameters &parameters, const File &directory,
		IngestSink &to, Work &counts);

	// A unit to take; nothing while all that there may be are on their way.
	Unit *find_free_unit(bool is_large);
	// Compression is what takes the cores' time, and there is less of it when they and not the
	// storage hold the run back: when no unit waits for another to be stored.
	Effort effort();
	Unit *find_ready_unit()
	{
		for (const auto &unit : units)
			if (unit->is_ready && unit->ticket == commit_turn)
				return unit.get();
		return nullptr;
	}
	void run_worker();    // ingest_worker.cpp
	void run_committer(); // ingest_committer.cpp
	void start_one_more();
	std::size_t worker_count() const { return threads.size() > 0 ? threads.size() - 1 : 0; }
	void wake_all();
	// Throws what a thread threw, if one did, after all have ended.
	void rethrow(std::unique_lock<std::mutex> &lock);
	// Waits for room in the queue; starts the next worker while there are fewer than allowed.
	void push(Item item, std::unique_lock<std::mutex> &lock);
	void push_collected(std::unique_lock<std::mutex> &lock)
	{
		if (collecting.empty())
			return;
		Item item;
		item.batch.swap(collecting);
		collecting_bytes = 0;
		push(std::move(item), lock);
	}
	bool is_idle() const
	{
		return queue.empty() && commit_turn == next_ticket;
	}
};

// Thrown where somebody else has failed, or the run ends.
struct Stopped {};

// Whoever empties a file is about to write another: what is in it now is not worth a second reading.
inline std::string cut_short(const std::string &path)
{
	return quote(path) + " was cut short while it was read; add it again when it is complete";
}

} // namespace dig

#endif
