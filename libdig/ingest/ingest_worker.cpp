// What a worker does with a unit, from its claim until it is ready to be committed.
//
// A unit goes through all steps in one thread: its bytes stay in the cache of one core, and no step
// waits for a queue.  Order matters in three places, and only there do workers wait for each other:
// segments of a stream are read in turns, segments of a file are cut in turns (ingest_job), and units
// are committed in the order of their claims.  A turn is a number that a worker waits for; it is taken
// even after a failure, so that nobody waits for a worker that gave up.
#include <algorithm>
#include <cstring>

#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/ingest/ingest_batch.h"
#include "libdig/os/clock.h"
#include "libdig/os/mapped_read.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t store_files = 64;

// Takes units through all steps.
class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), clock_(shared.work), small_files_(shared.root, open_together(shared))
	{
		if (shared.sink.stores_content())
			builder_.emplace(shared.settings, shared.small_limit);
	}

	void run()
	{
		while (Unit *unit = claim()) {
			if (unit->job) {
				take_segment(*unit);
			} else {
				small_files_.take(*unit);
				clock_.lap(Step::read);
			}
			hash_pieces(*unit);
			build_blocks(*unit);
			pass([&] { unit->is_ready = true; });
		}
	}

private:
	// The workers share half of the files that may be open, less some for the store.
	static std::size_t open_together(const Shared &shared)
	{
		const std::size_t limit = file_limit();
		return shared.settings.performance.async_io && limit > store_files
			? (limit - store_files) / (2 * shared.workers)
			: 0;
	}

	// --- claiming ---------------------------------------------------------------------

	// Waits for something to take and for a unit that is free; nothing at the end.
	Unit *claim()
	{
		std::unique_lock lock(shared_.mutex);
		for (;;) {
			if (shared_.threads.is_stopped())
				return nullptr;
			if (shared_.queue.empty()) {
				shared_.changed.wait(lock);
				clock_.lap(Step::idle);
			} else if (Unit *unit = shared_.find_free_unit(shared_.queue.front().job != nullptr)) {
				claim_front(*unit);
				clock_.lap(Step::idle);
				return unit;
			} else {
				shared_.changed.wait(lock);
				clock_.lap(Step::wait);
			}
		}
	}

	void claim_front(Unit &unit)
	{
		Shared::Item &front = shared_.queue.front();
		if (front.job) {
			unit.job = front.job;
			unit.job->claim(unit, shared_);
			if (unit.job->all_claimed)
				shared_.queue.pop_front();
		} else {
			unit.batch = std::move(front.batch);
			shared_.queue.pop_front();
		}
		unit.ticket = shared_.next_ticket++;
		unit.is_free = false;
		shared_.changed.notify_all();
	}

	// --- segments ---------------------------------------------------------------------

	void take_segment(Unit &unit)
	{
		Job &job = *unit.job;
		std::size_t size = 0;
		if (job.source.stream)
			size = read_stream(job, unit);
		else if (!unit.is_hole && unit.size > 0)
			size = read_file(job, unit, unit.data());
		clock_.lap(Step::read);
		await([&] { return job.cut_turn == unit.segment; });
		clock_.lap(Step::wait);
		unit.first_cut = job.chunker.offset();
		if (job.outcome.error.empty() && !job.outcome.has_changed && !job.has_ended) {
			job.has_ended = unit.is_cut_short;
			job.cut(unit, size);
			if (shared_.settings.core.file_digest)
				job.hash_whole(unit);
		}
		pass([&] { job.cut_turn++; });
		clock_.lap(Step::cut);
	}

	// Reads an aligned segment that is not in the page cache past the cache.  0 where that does not work.
	std::size_t read_past_cache(const Job &job, const Unit &unit, std::uint8_t *to)
	{
		if (!job.direct || unit.offset % direct_unit || job.file.is_cached(unit.offset, unit.size))
			return 0;
		const std::size_t aligned = (unit.size + direct_unit - 1) / direct_unit * direct_unit;
		try {
			return std::min<std::size_t>(unit.size, job.direct->read_some_at({to, aligned}, unit.offset));
		} catch (const SystemError &) {
			// Some file systems refuse only the read, and not the open.
			return 0;
		}
	}

	std::size_t read_file(Job &job, Unit &unit, std::uint8_t *to)
	{
		const Region region("read");
		try {
			std::size_t done = job.is_mapped ? read_mapped(job.file, {to, unit.size}, unit.offset)
							  : read_past_cache(job, unit, to);
			if (done == 0 && unit.offset + unit.size < job.size)
				job.file.advise_will_need(unit.offset + unit.size, 2 * shared_.segment_size);
			while (done < unit.size) {
				check_interrupted();
				const std::size_t piece = std::min<std::uint64_t>(
					shared_.settings.performance.buffer_size, unit.size - done);
				const std::size_t n = job.file.read_at({to + done, piece}, unit.offset + done);
				done += n;
				if (n < piece)
					break;
			}
			if (done < unit.size)
				end_early(job, unit);
			return done;
		} catch (const SystemError &error) {
			give_up(job, error.what(), false);
			return 0;
		}
	}

	std::size_t read_stream(Job &job, Unit &unit)
	{
		await([&] { return job.read_turn == unit.segment; });
		clock_.lap(Step::wait);
		std::size_t done = 0;
		if (!job.at_end) {
			try {
				done = read_some_stream(job.source, unit, unit.data());
			} catch (const SystemError &error) {
				give_up(job, error.what(), false);
				unit.is_last = true;
			}
			if (unit.is_last)
				end_claims(job);
		}
		pass([&] {
			job.at_end = job.at_end || unit.is_last;
			job.read_turn++;
		});
		return done;
	}

	// A segment of a stream; a shorter one where a checkpoint is due.
	std::size_t read_some_stream(const Source &source, Unit &unit, std::uint8_t *to)
	{
		const int fd = source.stream->fd();
		std::uint64_t wanted = shared_.segment_size;
		if (source.checkpoint_bytes)
			wanted = std::min(wanted, source.checkpoint_bytes);
		const std::int64_t deadline = now_ns() + source.checkpoint_ns;
		std::size_t done = 0;
		while (done < wanted) {
			int timeout_ms = -1;
			if (source.checkpoint_ns) {
				const std::int64_t left = deadline - now_ns();
				if (left <= 0)
					return done;
				timeout_ms = static_cast<int>(std::min<std::int64_t>(left / 1000000 + 1, 1000000));
			}
			const bool is_there = wait_until_readable(fd, timeout_ms);
			clock_.lap(Step::input);
			if (!is_there)
				return done;
			const std::size_t n = source.stream->read_some({to + done, wanted - done});
			if (n == 0) {
				unit.is_last = true;
				return done;
			}
			clock_.lap(Step::read);
			shared_.work.stream_bytes.add(n);
			done += n;
		}
		return done;
	}

	void end_early(Job &job, Unit &unit)
	{
		if (!job.source.takes_changing)
			return give_up(job, cut_short(job.source.path), true);
		unit.is_last = unit.is_cut_short = true;
		end_claims(job);
	}

	void give_up(Job &job, const std::string &error, bool has_changed)
	{
		{
			std::lock_guard guard(shared_.mutex);
			if (job.outcome.error.empty())
				job.outcome.error = error;
			job.outcome.has_changed = job.outcome.has_changed || has_changed;
		}
		end_claims(job);
	}

	// No further segments of the job are handed out.
	void end_claims(Job &job)
	{
		std::lock_guard guard(shared_.mutex);
		job.all_claimed = true;
		if (!shared_.queue.empty() && shared_.queue.front().job.get() == &job)
			shared_.queue.pop_front();
	}

	// --- hashing and storing ----------------------------------------------------------

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
		// The room in front of the first piece was for the end of the segment before.
		const Bytes first = unit.pieces[0].bytes;
		const std::size_t spare = first.empty() ? 0 : static_cast<std::size_t>(first.data() - unit.in.data());
		builder_->build(fresh_, {unit.in.data(), spare}, shared_.effort(), unit.blocks, unit.apart);
		clock_.lap(Step::compress);
	}

	// --- turns ------------------------------------------------------------------------

	template <typename Condition> void await(Condition condition)
	{
		std::unique_lock lock(shared_.mutex);
		shared_.changed.wait(lock, [&] { return shared_.threads.is_stopped() || condition(); });
		if (shared_.threads.is_stopped())
			throw Stopped();
	}

	template <typename Change> void pass(Change change)
	{
		{
			std::lock_guard guard(shared_.mutex);
			change();
		}
		shared_.changed.notify_all();
	}

	Shared &shared_;
	StepClock clock_;
	std::optional<BlockBuilder> builder_; // where something is stored
	std::vector<Piece *> fresh_;
	std::vector<HashJob> jobs_;
	SmallFiles small_files_;
};

void Ingest::Shared::run_worker() { Worker(*this).run(); }

} // namespace dig
