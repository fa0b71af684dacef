#include "libdig/ingest/ingest_unit.h"

#include <algorithm>
#include <cstring>

#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/os/clock.h"
#include "libdig/os/mapped_read.h"
#include "libdig/os/process.h"
#include "libdig/os/read_batch.h"

namespace dig {

constexpr std::uint64_t hole_limit = 1_MiB; // shorter holes are read
// What is not in the page cache is read past it, from files of this size on: filling the cache costs
// more than all hashing, and it pushes out what others have there.
constexpr std::uint64_t uncached_limit = 16_MiB;
constexpr std::size_t store_files = 64;

// Takes units through all steps.
class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), clock_(shared.work), together_(shared.root, open_together(shared))
	{
		if (shared.sink.stores_content())
			builder_.emplace(shared.settings, shared.small_limit);
	}

	void run()
	{
		while (Unit *unit = claim()) {
			if (unit->job)
				take_segment(*unit);
			else
				take_batch(*unit);
			hash_pieces(*unit);
			build_blocks(*unit);
			pass([&] { unit->is_ready = true; });
		}
	}

private:
	// Half of the files that may be open, less some for the store, are the workers'.
	static std::size_t open_together(const Shared &shared)
	{
		const std::size_t limit = file_limit();
		return shared.settings.performance.async_io && limit > store_files ? (limit - store_files) / (2 * shared.workers) : 0;
	}

	// --- claiming ---------------------------------------------------------------------

	// What is next to take, in a unit that is free; nothing at the end.
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
			claim_segment(*unit.job, unit);
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

	void claim_segment(Job &job, Unit &unit)
	{
		if (!job.is_open)
			open_job(job);
		unit.segment = job.claimed++;
		unit.offset = job.next_offset;
		if (job.source.stream || job.all_claimed)
			return;
		const std::uint64_t left = job.size - job.next_offset;
		unit.size = std::min(left, shared_.segment_size);
		if (const std::uint64_t hole = hole_at(job, job.next_offset); hole >= hole_limit) {
			unit.is_hole = true;
			unit.size = hole;
		}
		job.next_offset += unit.size;
		unit.is_last = job.all_claimed = job.next_offset == job.size;
	}

	// How long the hole is that begins there; 0 for none.
	static std::uint64_t hole_at(Job &job, std::uint64_t offset)
	{
		if (job.hole_budget < hole_limit)
			return 0;
		const std::uint64_t hole = job.file.next_data(offset, job.size) - offset;
		if (hole > job.hole_budget && hole - job.hole_budget > job.hole_tolerance)
			return job.hole_budget = 0;
		const std::uint64_t taken = std::min(hole, job.hole_budget);
		if (taken < hole_limit)
			return 0;
		job.hole_budget -= taken;
		return taken;
	}

	void open_job(Job &job)
	{
		job.is_open = true;
		if (job.source.read_began_ns == 0)
			job.source.read_began_ns = now_ns();
		job.outcome.read_began_ns = job.source.read_began_ns;
		if (job.source.stream)
			return;
		try {
			job.file = open_source(job.source);
			job.outcome.stat = job.file.stat();
			if (job.outcome.stat.type != FileType::regular)
				throw Error("it is no regular file any more");
			job.size = job.outcome.stat.size;
			const std::uint64_t allocated = job.outcome.stat.blocks * 512;
			job.hole_budget = job.size - std::min(job.size, allocated);
			job.hole_tolerance = std::max(hole_limit, allocated / 64);
			if (job.size < job.source.resume_offset)
				throw Error("it is shorter than what was taken of it before");
			if (shared_.settings.performance.async_io && job.size >= uncached_limit && !is_mapped(job))
				job.direct = job.file.past_cache();
		} catch (const Error &error) {
			job.outcome.error = error.what();
			job.all_claimed = true;
		}
	}

	File open_source(const Source &source)
	{
		if (source.opened)
			return std::move(*source.opened);
		return open_beneath(shared_.root, source.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
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
			if (unit.is_hole)
				cut_hole(job, unit);
			else
				cut(job, unit, size);
			if (shared_.settings.core.file_digest)
				for (const Piece &piece : unit.pieces)
					hash_whole(job, piece);
		}
		pass([&] { job.cut_turn++; });
		clock_.lap(Step::cut);
	}

	static void hash_whole(Job &job, const Piece &piece)
	{
		if (!piece.bytes.empty()) {
			job.whole.update(piece.bytes);
			return;
		}
		// There is no short way to the digest of a hole.
		for (std::uint64_t i = 0; i < piece.count; i++) {
			check_interrupted();
			job.whole.update(zero_bytes(piece.size));
		}
	}

	bool is_mapped(const Job &job) const
	{
		const std::uint64_t threshold = shared_.settings.performance.memory_map_threshold;
		return threshold > 0 && job.size >= threshold;
	}

	// Of an aligned segment that is not in the page cache, as much as can be read past it.
	std::size_t read_past_cache(const Job &job, const Unit &unit, std::uint8_t *to)
	{
		if (!job.direct || unit.offset % direct_unit || job.file.is_cached(unit.offset, unit.size))
			return 0;
		const std::size_t aligned = (unit.size + direct_unit - 1) / direct_unit * direct_unit;
		try {
			return std::min<std::size_t>(unit.size, job.direct->read_some_at({to, aligned}, unit.offset));
		} catch (const SystemError &) {
			// Some file systems only say so now.
			return 0;
		}
	}

	std::size_t read_file(Job &job, Unit &unit, std::uint8_t *to)
	{
		const Region region("read");
		try {
			std::size_t done = is_mapped(job) ? read_mapped(job.file, {to, unit.size}, unit.offset)
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

	// A segment of a stream, less where a checkpoint is due before.
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

	static void add_piece(Unit &unit, MutableBytes bytes) { unit.pieces.push_back({bytes, bytes.size(), {}, 1}); }

	// Places the cuts in what is left of the segment before and in this one.
	void cut(Job &job, Unit &unit, std::size_t size)
	{
		const Region region("cut");
		std::uint8_t *at = unit.data() - job.carry_size;
		if (job.carry_size)
			std::memcpy(at, job.carry.data(), job.carry_size);
		std::uint8_t *const end = unit.data() + size;
		while (at < end) {
			const std::size_t n = job.chunker.next({at, end}, unit.is_last);
			if (n == 0)
				break;
			add_piece(unit, {at, n});
			at += n;
		}
		keep(job, at, static_cast<std::size_t>(end - at));
	}

	// What has no cut yet goes to the next segment.
	void keep(Job &job, const std::uint8_t *from, std::size_t size)
	{
		job.carry_size = size;
		if (size == 0)
			return;
		if (job.carry.size() == 0)
			job.carry = Arena(shared_.chunking.largest_chunk());
		std::memmove(job.carry.data(), from, size);
	}

	// A hole of any size: the chunk that leads into it is cut as any other; behind that, there
	// is nothing to look at, and a piece for each tier.
	void cut_hole(Job &job, Unit &unit)
	{
		std::uint64_t left = unit.size;
		std::uint8_t *buffer = unit.in.data() + window_room;
		std::size_t have = job.carry_size; // bytes from the data before
		if (have)
			std::memcpy(buffer, job.carry.data(), have);
		while (have > 0) {
			// As many as decide the cut.  Cuts inside the data before end after less than
			// one largest chunk together, so that the buffer is large enough.
			const std::size_t zeros =
				std::min<std::uint64_t>(left, job.chunker.limits().maximum - std::min<std::uint64_t>(have, job.chunker.limits().maximum));
			std::memset(buffer + have, 0, zeros);
			const bool is_last = unit.is_last && zeros == left;
			const std::size_t n = job.chunker.next({buffer, have + zeros}, is_last);
			if (n == 0) {
				keep(job, buffer, have + zeros);
				return;
			}
			add_piece(unit, {buffer, n});
			buffer += n;
			if (n >= have) {
				left -= n - have;
				have = 0;
			} else {
				have -= n;
			}
		}
		while (left > 0) {
			const std::uint64_t whole = job.chunker.zero_chunk_size();
			if (left < whole && !unit.is_last)
				break;
			const std::uint64_t size = std::min(left, whole);
			const std::uint64_t count = std::max<std::uint64_t>(job.chunker.zero_chunk_count(left), 1);
			unit.pieces.push_back({{}, size, zero_digest(size), count});
			job.chunker.skip(size, count);
			left -= size * count;
		}
		if (left > 0)
			keep(job, zero_bytes(left).data(), left);
		else
			job.carry_size = 0;
	}

	// --- batches ----------------------------------------------------------------------

	void take_batch(Unit &unit)
	{
		unit.outcomes.resize(unit.batch.size());
		check_interrupted();
		read_together(unit);
		std::uint8_t *to = unit.data();
		for (std::size_t i = 0; i < unit.batch.size(); i++) {
			const Source &source = unit.batch[i];
			std::size_t n;
			if (batched_[i].is_read) {
				unit.outcomes[i].stat = batched_[i].stat;
				n = checked_size(source, source.stat->size, unit.outcomes[i]);
			} else {
				check_interrupted();
				n = read_small(source, {to, room_of(source)}, unit.outcomes[i]);
			}
			add_piece(unit, {to, n});
			to += room_of(source);
		}
		clock_.lap(Step::read);
	}

	// As large as the source was said to be, whatever comes of it.
	static std::size_t room_of(const Source &source)
	{
		return source.kind == EntryKind::symlink ? max_link_size : source.stat->size;
	}

	// Those that make no trouble, all at once.
	void read_together(Unit &unit)
	{
		batched_.assign(unit.batch.size(), {});
		std::uint8_t *to = unit.data();
		const std::int64_t now = now_ns();
		for (std::size_t i = 0; i < unit.batch.size(); i++) {
			const Source &source = unit.batch[i];
			unit.outcomes[i].read_began_ns = now;
			const MutableBytes room(to, room_of(source));
			to += room.size();
			if (source.kind == EntryKind::file && !source.opened && !room.empty()) {
				batched_[i].path = &source.path;
				batched_[i].room = room;
			}
		}
		together_.read(batched_);
	}

	// Nothing is taken of a file that is not what it was when it was found.
	std::size_t checked_size(const Source &source, std::size_t size, SourceOutcome &outcome)
	{
		outcome.has_changed = !is_same_content(outcome.stat, *source.stat);
		return outcome.has_changed ? 0 : size;
	}

	std::size_t read_small(const Source &source, MutableBytes room, SourceOutcome &outcome)
	{
		outcome.read_began_ns = now_ns();
		try {
			if (source.kind == EntryKind::symlink) {
				const std::string text = read_link_beneath(shared_.root, source.path);
				if (text.size() > room.size())
					throw Error("the symbolic link is too long");
				outcome.stat = *source.stat;
				outcome.stat.size = text.size();
				std::memcpy(room.data(), text.data(), text.size());
				return text.size();
			}
			const File file = open_source(source);
			std::uint8_t first;
			// A file of the kernel may have content and the size 0, or less content than its size.
			const bool is_short = room.empty() ? file.read_at({&first, 1}, 0) > 0 : file.read_at(room, 0) < room.size();
			outcome.stat = file.stat();
			if (outcome.stat.type != FileType::regular)
				throw Error("it is no regular file any more");
			const std::size_t n = checked_size(source, room.size(), outcome);
			outcome.is_unsized = is_short && !outcome.has_changed;
			outcome.has_changed = outcome.has_changed || is_short;
			return outcome.has_changed ? 0 : n;
		} catch (const Error &error) {
			outcome.error = error.what();
			return 0;
		}
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

	// Of what nobody has yet.
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
		// In front of the first piece is what others needed for the rest of the segment before.
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
	BatchReader together_;
	std::vector<BatchedFile> batched_;
};

void Ingest::Shared::run_worker() { Worker(*this).run(); }

} // namespace dig
