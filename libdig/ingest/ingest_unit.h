// What the parts of ingest share: claims and units of work, the room for them, and what is to be done.
// For ingest*.cpp alone.
#ifndef DIG_INGEST_UNIT_H
#define DIG_INGEST_UNIT_H

#include <condition_variable>
#include <deque>
#include <mutex>

#include "libdig/base/error.h"
#include "libdig/ingest/block_builder.h"
#include "libdig/ingest/ingest_job.h"
#include "libdig/ingest/ingest_plan.h"
#include "libdig/ingest/ingest_ring.h"
#include "libdig/os/thread.h"
#include "libdig/os/workers.h"

namespace dig {

// Pieces that are hashed, looked up and compressed together, by one worker, and then handed to the sink.
struct Ingest::Unit {
	Claim *claim = nullptr;
	bool is_hashed = false;
	bool is_ready = false;
	bool ends_claim = false;
	std::uint64_t free_to = 0; // where the ring is free once this and all before it is committed
	std::vector<Piece> pieces;
	std::vector<ReadyBlock> blocks;
	std::vector<Buffer> apart;
	// Of a segment, with Source::blocks.
	std::uint64_t offset = 0; // of the first piece
	BlockPart block_part;
};

// A batch of small files, or a segment of a large one: what a worker reads at once.
struct Ingest::Claim {
	IngestRing::Room room;
	std::uint8_t *data = nullptr; // where its content begins; what lies before it in the room is for the carry

	bool is_batch = false;
	std::vector<Source> batch;
	std::vector<SourceOutcome> outcomes; // of the batch
	std::size_t batch_files = 0;
	std::uint64_t content_bytes = 0; // of its sources in memory
	// Or a segment:
	std::shared_ptr<Job> job;
	std::uint64_t offset = 0, size = 0;
	bool is_hole = false, is_last = false;
	bool is_cut_short = false; // the file ends in it, before its size
	bool is_read = false;
	std::size_t read_size = 0;

	std::vector<Piece> pieces; // until they are divided into units
	std::deque<Unit *> units;  // not committed yet

	// In the ring.  What lies in the headroom takes no room of it.
	std::uint64_t position_of(const std::uint8_t *at) const
	{
		if (at < room.data && room.starts_lap)
			return room.begin;
		return room.begin + static_cast<std::uint64_t>(at - room.data);
	}
	bool has_block_tree() const { return job && job->source.blocks; }
	// Lets go of the job, too, which may close its file.
	void clear_content()
	{
		batch.clear();
		outcomes.clear();
		job.reset();
		pieces.clear();
		offset = size = 0;
		is_hole = is_last = is_cut_short = is_read = false;
		read_size = 0;
	}
};

// Objects that are used again, with the memory that they have grown.
template <typename T> class Recycled {
public:
	T *take()
	{
		if (free_.empty()) {
			all_.push_back(std::make_unique<T>());
			free_.reserve(all_.size());
			return all_.back().get();
		}
		T *const one = free_.back();
		free_.pop_back();
		return one;
	}
	void give_back(T *one) { free_.push_back(one); }

private:
	std::vector<std::unique_ptr<T>> all_;
	std::vector<T *> free_;
};

// Whether steps of a kind wait for something other than a core, judged by the last ones.
class Waiting {
public:
	bool is_likely() const { return left_ > 0; }
	void note(bool has_waited) { left_ = has_waited ? remembered : left_ - (left_ > 0); }

private:
	static constexpr unsigned remembered = 16;
	unsigned left_ = remembered;
};

// All of it is under the mutex, where nothing else is said.
struct Ingest::Shared {
	const Settings settings;
	const ChunkingParameters chunking;
	const File &root;
	IngestSink &sink;
	Work &work;
	IngestPlan plan;
	const std::size_t cores; // that this process may use
	CompressorPool compressors; // with a mutex of its own

	std::mutex mutex;
	// What each waits for: a worker for something to do, the thread that submits for room in the queue
	// and for the end, the committer for the next unit in order.
	std::condition_variable may_work, may_submit, may_commit;

	// Submitted, and not claimed.
	struct Item {
		std::vector<Source> batch;
		std::shared_ptr<Job> job;
		std::uint64_t content_bytes = 0;
	};
	std::deque<Item> queue;
	std::uint64_t content_bytes = 0; // in memory, submitted and not in the ring yet
	std::vector<Source> collecting;
	std::uint64_t collecting_bytes = 0;
	bool has_stream = false;
	std::optional<std::uint64_t> largest_target; // of what was submitted

	// Claimed, in the order of submission; and what was cut from it, to be hashed and compressed.
	IngestRing ring;
	Recycled<Claim> claim_pool;
	Recycled<Unit> unit_pool;
	std::deque<Claim *> claims;
	std::deque<Unit *> uncompressed;
	std::size_t batches_under_way = 0, batch_files_under_way = 0, idle_workers = 0;
	// With more workers than cores, those that compute: neither idle nor in a step that waits for storage.
	std::size_t active_workers = 0;
	Waiting reads, look_ups;
	// The committer first, then workers.  The last member, since the others are what threads use.
	Workers threads{[this] { wake_all(); }};

	Shared(const Settings &from, const ChunkingParameters &parameters, const File &directory,
		IngestSink &to, Work &counts);

	void run_worker();    // ingest_worker.cpp
	void run_committer(); // ingest_committer.cpp
	void start_one_more();
	// Counts for how many workers the memory is enough; the target is that of a large file, or 0.
	void carry(std::uint64_t target);
	std::size_t worker_count() const { return threads.size() > 0 ? threads.size() - 1 : 0; }
	void wake_all();
	// Throws what a thread threw, if one did, after all have ended.
	void rethrow(std::unique_lock<std::mutex> &lock);
	// Waits for room in the queue; starts the next worker while there are fewer than planned.
	void push(Item item, std::unique_lock<std::mutex> &lock);
	void push_collected(std::unique_lock<std::mutex> &lock);
	// The front of the queue is claimed as a whole.
	void pop_front()
	{
		queue.pop_front();
		may_submit.notify_one();
	}
	// One more worker has something to do.  Where all cores compute, one of these will find it.
	void call_worker()
	{
		if (idle_workers > 0 && active_workers < cores)
			may_work.notify_one();
	}
	// The part of the ring that may be used beside the compressors.
	std::size_t ring_limit() const
	{
		const std::size_t left = plan.shared - std::min(plan.shared, compressors.memory());
		return std::max(plan.least_ring_size, std::min(plan.ring, left));
	}
	// These pieces of the claim become a unit.
	Unit *add_unit(Claim &claim, std::span<const Piece> pieces, std::uint64_t free_to, bool ends_claim);
	bool is_idle() const { return queue.empty() && claims.empty(); }
	// Workers leave their cores to others while they read or look up.
	bool steps_wait() const { return plan.workers <= cores || reads.is_likely() || look_ups.is_likely(); }
	// The unit behind the one that is stored just now waits for that.
	bool is_storage_behind() const;
};

} // namespace dig

#endif
