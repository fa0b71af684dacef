// What a worker does: it reads a claim, or it takes a unit through hashing, look-up and compression.
//
// A unit is worked on before anything else is read, since that is what makes room in the ring.  Nothing
// is done in turns: a worker never waits for another one that is at an earlier segment.  Order matters
// in three places only.  A stream has one reader at a time.  The segments of a file are cut in their
// order, by whoever finds that the next one was read and that nobody else is cutting (cut_in_order).
// And units are committed in the order of their claims, by the committer.
//
// The pieces of a batch are worked on by the worker that read it, while they are in its cache.
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

// Takes units through all steps.
class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), clock_(shared.work), small_files_(shared.root, open_together(shared)),
		  segments_(shared, clock_)
	{
		if (shared.sink.stores_content())
			builder_.emplace(shared.settings, shared.compressors, shared.plan.small_limit);
	}

	void run()
	{
		std::unique_lock lock(shared_.mutex);
		while (!shared_.threads.is_stopped()) {
			if (Unit *unit = next_unit()) {
				work_on(*unit, lock);
			} else if (Claim *claim = next_claim(lock)) {
				if (claim->job)
					take_segment(*claim, lock);
				else
					take_batch(*claim, lock);
			} else if (!shared_.threads.is_stopped()) {
				const bool is_idle = shared_.queue.empty();
				shared_.idle_workers++;
				shared_.may_work.wait(lock);
				shared_.idle_workers--;
				clock_.lap(is_idle ? Step::idle : Step::wait);
			}
		}
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

	// --- what is next, under the mutex ------------------------------------------------

	Unit *next_unit()
	{
		if (shared_.uncompressed.empty())
			return nullptr;
		Unit *const unit = shared_.uncompressed.front();
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
		lock.unlock();
		job->open_file(shared_);
		lock.lock();
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
			if (front.job->all_claimed)
				shared_.pop_front();
			return true;
		}
		if (shared_.batches_under_way == shared_.plan.most_batches)
			return false;
		const std::optional<IngestRing::Room> room =
			shared_.ring.reserve(room_for(front.batch), shared_.plan.batch_ring);
		if (!room)
			return false;
		claim.room = *room;
		claim.data = room->data;
		claim.is_batch = true;
		claim.batch.swap(front.batch);
		shared_.batches_under_way++;
		shared_.pop_front();
		return true;
	}

	// --- claims -----------------------------------------------------------------------

	void take_batch(Claim &claim, std::unique_lock<std::mutex> &lock)
	{
		lock.unlock();
		clock_.lap(Step::idle);
		small_files_.take(claim);
		clock_.lap(Step::read);
		lock.lock();
		work_on(*shared_.add_unit(claim, claim.pieces, claim.room.end, true), lock);
	}

	void take_segment(Claim &claim, std::unique_lock<std::mutex> &lock)
	{
		Job &job = *claim.job;
		lock.unlock();
		clock_.lap(Step::idle);
		bool has_content = !claim.is_hole && claim.size > 0;
		if (job.is_single) {
			job.open_file(shared_);
			has_content = job.outcome.error.empty() && !job.outcome.has_changed;
		}
		if (job.source.stream)
			claim.read_size = segments_.read_stream(claim);
		else if (has_content)
			claim.read_size = segments_.read_file(claim);
		clock_.lap(Step::read);
		lock.lock();
		claim.is_read = true;
		if (job.source.stream) {
			job.is_reading = false;
			job.next_offset += claim.read_size;
			shared_.ring.shrink(claim.room.end = claim.room.begin + claim.read_size);
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
			shared_.uncompressed.push_back(shared_.add_unit(claim, pieces, free_to, left.empty()));
			shared_.call_worker();
		} while (!left.empty());
	}

	// --- units ------------------------------------------------------------------------

	void work_on(Unit &unit, std::unique_lock<std::mutex> &lock)
	{
		if (!shared_.uncompressed.empty())
			shared_.call_worker();
		lock.unlock();
		clock_.lap(Step::idle);
		hash_pieces(unit);
		build_blocks(unit);
		lock.lock();
		unit.is_ready = true;
		shared_.ready_units++;
		shared_.may_commit.notify_one();
	}

	void hash_pieces(Unit &unit)
	{
		const Region region("hash");
		jobs_.clear();
		for (Piece &piece : unit.pieces) {
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
		clock_.lap(Step::hash);
	}

	// Blocks for the pieces that are stored nowhere yet.
	void build_blocks(Unit &unit)
	{
		if (!builder_)
			return;
		fresh_.clear();
		for (Piece &piece : unit.pieces) {
			if (piece.size == 0 || !shared_.sink.claim(piece.id, piece.bytes))
				continue;
			piece.is_new = true;
			shared_.work.new_bytes.add(piece.size);
			fresh_.push_back(&piece);
		}
		clock_.lap(Step::lookup);
		if (fresh_.empty())
			return;
		const Region region("compress");
		builder_->build(fresh_, effort(), unit.blocks, unit.apart);
		clock_.lap(Step::compress);
	}

	// Compression takes most of the time of the cores.  When the cores hold the run back, and not the
	// storage, there is less of it: that is when no unit waits for another one to be stored.
	Effort effort()
	{
		std::lock_guard guard(shared_.mutex);
		return shared_.ready_units > 1 ? Effort::usual : Effort::less;
	}

	Shared &shared_;
	StepClock clock_;
	std::optional<BlockBuilder> builder_; // where something is stored
	std::vector<Piece *> fresh_;
	std::vector<HashJob> jobs_;
	SmallFiles small_files_;
	Segments segments_;
};

void Ingest::Shared::run_worker() { Worker(*this).run(); }

} // namespace dig
