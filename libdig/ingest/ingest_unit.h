// What the parts of ingest share: the units of work with their memory, and the queue of what is to be
// taken.  For ingest*.cpp alone.
#ifndef DIG_INGEST_UNIT_H
#define DIG_INGEST_UNIT_H

#include <condition_variable>
#include <deque>
#include <mutex>

#include "libdig/base/error.h"
#include "libdig/ingest/block_builder.h"
#include "libdig/ingest/ingest_job.h"
#include "libdig/os/arena.h"
#include "libdig/os/thread.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::uint64_t batch_bytes = 1536_KiB;
constexpr std::uint64_t direct_unit = 4096; // of O_DIRECT

// A segment or a batch, with its memory: a worker takes it through all steps, and the committer hands
// it to the sink.
struct Ingest::Unit {
	const bool is_large; // for segments; else for batches
	bool is_free = true, is_ready = false;
	std::size_t headroom; // in front of what is read: room for the end of the segment before
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
	// Lets go of the job, too, which may close its file.
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

// All of it is under the mutex, where nothing else is said.
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

	// A unit that is free, or a new one; nothing while there are as many as may be.
	Unit *find_free_unit(bool is_large);
	// Compression takes most of the time of the cores.  When the cores hold the run back, and not the
	// storage, there is less of it: that is when no unit waits for another one to be stored.
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

} // namespace dig

#endif
