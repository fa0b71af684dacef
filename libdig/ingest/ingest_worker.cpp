// What a worker does: it reads a claim, or it takes a unit through hashing, look-up and compression.
//
// A unit is worked on before anything else is read, since that is what makes room in the ring; one that
// is alone waits for a second one while there is something to read.  Nothing is done in turns: a worker
// never waits for another one that is at an earlier segment.  Order matters in three places only.  A
// stream has one reader at a time.  The segments of a file are cut in their order, by whoever finds that
// the next one was read and that nobody else is cutting (cut_in_order).  And units are committed in the
// order of their claims, by the committer.
//
// The pieces of a batch are worked on by the worker that read it, while they are in its cache.
//
// There may be more workers than cores, for storage that answers late.  No more of them compute than
// there are cores: the others would take turns with these, and each turn finds its cache emptied.  16
// workers on two cores took 1.24 times as long as two.
#include <algorithm>
#include <cstring>

#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/ingest/ingest_batch.h"
#include "libdig/ingest/ingest_segment.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t store_files = 64;
constexpr std::size_t hashed_together = 4; // units

// Takes units through all steps.
class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), is_crowded_(shared.plan.workers > shared.cores), clock_(shared.work),
		  small_files_(shared.root, open_together(shared)), segments_(shared, clock_)
	{
		if (shared.sink.stores_content())
			builder_.emplace(shared.settings, shared.compressors, shared.plan.small_limit);
	}

	void run()
	{
		std::unique_lock lock(shared_.mutex);
		shared_.active_workers++;
		while (!shared_.threads.is_stopped()) {
			if (shared_.active_workers > shared_.cores) {
				wait(lock);
			} else if (Unit *unit = next_unit(2)) {
				work_on(*unit, lock);
			} else if (Claim *claim = next_claim(lock)) {
				if (claim->job)
					take_segment(*claim, lock);
				else
					take_batch(*claim, lock);
			} else if (Unit *only = next_unit(1)) {
				work_on(*only, lock);
			} else if (!shared_.threads.is_stopped()) {
				wait(lock);
			}
		}
		shared_.active_workers--;
	}

private:
	// The workers share half of the files that may be open, less some for the store.
	static std::size_t open_together(const Shared &shared)
	{
		const std::size_t limit = file_limit();
		return shared.settings.performance.async_io && limit > store_files
			? (limit - store_files) / (2 * shared.plan.workers)
			: 0;
	}

	// --- waiting ----------------------------------------------------------------------

	void wait(std::unique_lock<std::mutex> &lock)
	{
		const bool is_idle = shared_.queue.empty();
		shared_.active_workers--;
		shared_.idle_workers++;
		shared_.may_work.wait(lock);
		shared_.idle_workers--;
		shared_.active_workers++;
		clock_.lap(is_idle ? Step::idle : Step::wait);
	}

	// Takes a step without the mutex.  Where such steps wait for the storage, another worker has the core
	// meanwhile; a step on what lies in memory computes, and one more worker would only be in the way.
	template <typename Function>
	void step(Waiting &waiting, std::unique_lock<std::mutex> &lock, const Function &function)
	{
		const bool leaves_core = waiting.is_likely();
		if (leaves_core) {
			shared_.active_workers--;
			shared_.call_worker();
		}
		lock.unlock();
		const std::uint64_t before = is_crowded_ ? voluntary_switches() : 0;
		function();
		const bool has_waited = is_crowded_ && voluntary_switches() != before;
		lock.lock();
		waiting.note(has_waited);
		if (leaves_core)
			shared_.active_workers++;
	}

	// --- what is next, under the mutex ------------------------------------------------

	// The next one, if it is hashed or if so many are there.
	Unit *next_unit(std::size_t least)
	{
		if (shared_.uncompressed.empty())
			return nullptr;
		Unit *const unit = shared_.uncompressed.front();
		if (!unit->is_hashed && shared_.uncompressed.size() < least)
			return nullptr;
		shared_.uncompressed.pop_front();
		return unit;
	}

	// The next segment or batch, with room in the ring; nothing while there is none.
	Claim *next_claim(std::unique_lock<std::mutex> &lock)
	{
		if (shared_.queue.empty())
			return nullptr;
		if (const std::shared_ptr<Job> job = shared_.queue.front().job; job && !is_open(job, lock))
			return nullptr;
		if (shared_.queue.empty() || shared_.threads.is_stopped())
			return nullptr;
		Claim *const claim = shared_.claim_pool.take();
		if (!claim_front(*claim)) {
			shared_.claim_pool.give_back(claim);
			return nullptr;
		}
		shared_.claims.push_back(claim);
		if (!shared_.queue.empty())
			shared_.call_worker();
		return claim;
	}

	// Opens the file of the job that is at the front; false while another worker does.
	bool is_open(const std::shared_ptr<Job> &job, std::unique_lock<std::mutex> &lock)
	{
		if (job->is_single || job->opening == Job::Opening::done)
			return true;
		if (job->opening == Job::Opening::under_way)
			return false;
		job->opening = Job::Opening::under_way;
		step(shared_.reads, lock, [&] { job->open_file(shared_); });
		job->opening = Job::Opening::done;
		job->all_claimed = !job->outcome.error.empty();
		clock_.lap(Step::read);
		// Another one may have passed by while this one had the file.
		shared_.call_worker();
		return !shared_.queue.empty() && shared_.queue.front().job == job;
	}

	bool claim_front(Claim &claim)
	{
		Shared::Item &front = shared_.queue.front();
		if (front.job) {
			if (front.job->is_reading || !front.job->claim(claim, shared_))
				return false;
			claim.job = front.job;
			claim.is_batch = false;
			claim.batch_files = 0;
			claim.content_bytes = 0;
			if (front.job->all_claimed)
				shared_.pop_front();
			return true;
		}
		const std::size_t files = shared_.batch_files_under_way + front.batch.size();
		if (shared_.batches_under_way == shared_.plan.most_batches ||
			(shared_.batches_under_way > 0 && files > shared_.plan.most_batch_files))
			return false;
		const std::optional<IngestRing::Room> room =
			shared_.ring.reserve(room_for(front.batch), shared_.plan.batch_ring);
		if (!room)
			return false;
		claim.room = *room;
		claim.data = room->data;
		claim.is_batch = true;
		claim.batch.swap(front.batch);
		claim.batch_files = claim.batch.size();
		claim.content_bytes = front.content_bytes;
		shared_.batches_under_way++;
		shared_.batch_files_under_way = files;
		shared_.pop_front();
		return true;
	}

	// --- claims -----------------------------------------------------------------------

	void take_batch(Claim &claim, std::unique_lock<std::mutex> &lock)
	{
		clock_.lap(Step::idle);
		step(shared_.reads, lock, [&] { small_files_.take(claim); });
		clock_.lap(Step::read);
		if (claim.content_bytes > 0) {
			shared_.content_bytes -= claim.content_bytes;
			shared_.may_submit.notify_one();
		}
		work_on(*shared_.add_unit(claim, claim.pieces, claim.room.end, true), lock);
	}

	void take_segment(Claim &claim, std::unique_lock<std::mutex> &lock)
	{
		Job &job = *claim.job;
		clock_.lap(Step::idle);
		step(shared_.reads, lock, [&] {
			bool has_content = !claim.is_hole && claim.size > 0;
			if (job.is_single) {
				job.open_file(shared_);
				has_content = job.outcome.error.empty() && !job.outcome.has_changed;
			}
			if (job.source.stream && !claim.is_hole)
				claim.read_size = segments_.read_stream(claim);
			else if (has_content)
				claim.read_size = segments_.read_file(claim);
		});
		clock_.lap(Step::read);
		claim.is_read = true;
		if (job.source.stream && !claim.is_hole) {
			job.is_reading = false;
			job.next_offset += claim.read_size;
			shared_.ring.shrink(claim.room.end = claim.position_of(claim.data) + claim.read_size);
			if (claim.is_last)
				segments_.end_claims(job);
			shared_.call_worker();
		}
		cut_in_order(claim.job, lock);
	}

	// Cuts what is read and not behind something that is not.
	void cut_in_order(const std::shared_ptr<Job> job, std::unique_lock<std::mutex> &lock)
	{
		if (job->is_cutting)
			return;
		job->is_cutting = true;
		while (!job->uncut.empty() && job->uncut.front()->is_read) {
			Claim &claim = *job->uncut.front();
			job->uncut.pop_front();
			const bool is_sound = job->outcome.error.empty() && !job->outcome.has_changed && !job->has_ended;
			if (is_sound) {
				lock.unlock();
				job->cut(claim, shared_);
				clock_.lap(Step::cut);
				lock.lock();
			} else {
				job->carry_position = claim.room.end;
			}
			divide(claim);
		}
		job->is_cutting = false;
	}

	// Makes units of the pieces of a segment, one at least.
	void divide(Claim &claim)
	{
		std::span<const Piece> left = claim.pieces;
		do {
			std::size_t count = 0, size = 0;
			while (count < left.size() && size < shared_.plan.unit)
				size += left[count++].bytes.size();
			const std::span<const Piece> pieces = left.first(count);
			left = left.subspan(count);
			std::uint64_t free_to = claim.job->carry_position;
			if (!left.empty())
				free_to = pieces.back().bytes.empty()
					? claim.room.begin : claim.position_of(pieces.back().bytes.data() + pieces.back().bytes.size());
			Unit *const unit = shared_.add_unit(claim, pieces, free_to, left.empty());
			unit->offset = claim.job->cut_end;
			for (const Piece &piece : pieces)
				claim.job->cut_end += piece.size * piece.count;
			shared_.uncompressed.push_back(unit);
			shared_.call_worker();
		} while (!left.empty());
	}

	// --- units ------------------------------------------------------------------------

	void work_on(Unit &unit, std::unique_lock<std::mutex> &lock)
	{
		together_.assign(1, &unit);
		if (!unit.is_hashed)
			take_more();
		if (!shared_.uncompressed.empty())
			shared_.call_worker();
		lock.unlock();
		clock_.lap(Step::idle);
		if (!unit.is_hashed)
			hash_pieces(together_);
		lock.lock();
		give_back_hashed();
		if (builder_)
			build_blocks(unit, lock);
		unit.is_ready = true;
		shared_.may_commit.notify_one();
	}

	// With many workers a unit is one large chunk, and two messages are hashed in the time of one (SHA-NI).
	// So units that nobody has taken are hashed together.
	void take_more()
	{
		std::size_t size = size_of(*together_[0]);
		while (together_.size() < hashed_together && !shared_.uncompressed.empty()) {
			Unit *const next = shared_.uncompressed.front();
			size += size_of(*next);
			if (next->is_hashed || size > shared_.plan.most_hashed)
				return;
			together_.push_back(next);
			shared_.uncompressed.pop_front();
		}
	}

	// All but the first: who comes next takes them.
	void give_back_hashed()
	{
		for (std::size_t i = together_.size(); --i > 0;) {
			together_[i]->is_hashed = true;
			shared_.uncompressed.push_front(together_[i]);
			shared_.call_worker();
		}
	}

	static std::size_t size_of(const Unit &unit)
	{
		std::size_t size = 0;
		for (const Piece &piece : unit.pieces)
			size += piece.bytes.size();
		return size;
	}

	void hash_pieces(std::span<Unit *const> units)
	{
		const Region region("hash");
		jobs_.clear();
		for (Unit *const unit : units)
			for (Piece &piece : unit->pieces) {
				if (piece.bytes.empty())
					continue;
				if (piece.size >= 64_KiB && piece.bytes[0] == 0 && is_zero(piece.bytes))
					piece.id = zero_digest(piece.size);
				else
					jobs_.push_back({piece.bytes, &piece.id});
			}
		// The longest first: then the lanes end at about the same time.
		std::sort(jobs_.begin(), jobs_.end(),
			[](const HashJob &a, const HashJob &b) { return a.message.size() > b.message.size(); });
		sha256_many(jobs_);
		for (Unit *const unit : units)
			if (unit->claim->has_block_tree())
				hash_block_part(*unit);
		clock_.lap(Step::hash);
	}

	// Pieces lie one behind another, unless a hole is between them.
	static void hash_block_part(Unit &unit)
	{
		BlockPart &part = unit.block_part;
		part.begin(unit.offset);
		Bytes extent;
		for (const Piece &piece : unit.pieces) {
			if (piece.bytes.empty() || extent.data() + extent.size() != piece.bytes.data()) {
				part.append(extent);
				extent = {};
			}
			if (piece.bytes.empty())
				part.append_zeros(piece.size * piece.count);
			else
				extent = {extent.empty() ? piece.bytes.data() : extent.data(), extent.size() + piece.bytes.size()};
		}
		part.append(extent);
	}

	// Blocks for the pieces that are stored nowhere yet.
	void build_blocks(Unit &unit, std::unique_lock<std::mutex> &lock)
	{
		step(shared_.look_ups, lock, [&] { claim_pieces(unit); });
		clock_.lap(Step::lookup);
		if (fresh_.empty())
			return;
		const Effort effort = effort_now();
		lock.unlock();
		const Region region("compress");
		builder_->build(fresh_, effort, unit.blocks, unit.apart);
		clock_.lap(Step::compress);
		lock.lock();
	}

	void claim_pieces(Unit &unit)
	{
		fresh_.clear();
		for (Piece &piece : unit.pieces) {
			if (piece.size == 0 || !shared_.sink.claim(piece.id, piece.bytes))
				continue;
			piece.is_new = true;
			shared_.work.new_bytes.add(piece.size);
			fresh_.push_back(&piece);
		}
	}

	// Compression takes most of the time of the cores.  When the cores hold the run back, and not the
	// storage, there is less of it.
	Effort effort_now() const
	{
		return shared_.is_storage_behind() ? Effort::usual : Effort::less;
	}

	Shared &shared_;
	const bool is_crowded_; // there are more workers than cores
	StepClock clock_;
	std::optional<BlockBuilder> builder_; // where something is stored
	std::vector<Unit *> together_;
	std::vector<Piece *> fresh_;
	std::vector<HashJob> jobs_;
	SmallFiles small_files_;
	Segments segments_;
};

void Ingest::Shared::run_worker() { Worker(*this).run(); }

} // namespace dig
