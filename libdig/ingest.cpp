#include "libdig/ingest.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <thread>

#include "libdig/arena.h"
#include "libdig/block_builder.h"
#include "libdig/mapped_read.h"
#include "libdig/process.h"
#include "libdig/read_batch.h"
#include "libdig/sha256_lanes.h"
#include "libdig/trace.h"

namespace dig {

constexpr std::size_t window_room = 64; // readable bytes before the first one scanned
constexpr std::uint64_t usual_segment = 4_MiB, least_segment = 1_MiB;
// Units beyond one a worker: one is committed and one waits for that while workers go on.
constexpr std::uint64_t large_units_over = 1, small_units_over = 3;
constexpr std::uint64_t small_file_limit = 128_KiB;
constexpr std::uint64_t batch_bytes = 1536_KiB;
// What everything but the units' buffers takes: the set of staged items, the index's spool,
// filters, the program itself.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t hole_limit = 1_MiB; // shorter holes are read
// What is not in the page cache is read past it, from files of this size on: filling the cache costs
// more than all hashing, and it pushes out what others have there.
constexpr std::uint64_t uncached_limit = 16_MiB;
constexpr std::uint64_t direct_unit = 4096; // of O_DIRECT
constexpr std::uint64_t worker_room = 2_MiB; // of a BlockBuilder

Digest zero_chunk_digest(std::uint64_t size)
{
	static std::mutex mutex;
	static std::map<std::uint64_t, Digest> known;
	std::lock_guard guard(mutex);
	const auto found = known.find(size);
	if (found != known.end())
		return found->second;
	return known[size] = digest_of(zero_bytes(size));
}

static bool is_zero(Bytes bytes)
{
	return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// A large file, or a stream, that several workers take segments of.
struct Ingest::Job {
	Source source;
	File file;
	std::optional<File> direct; // the same, past the page cache
	SourceOutcome outcome;
	std::uint64_t size = 0;
	bool is_open = false, is_sparse = false;
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
	// Committing, in order.
	std::uint32_t committed = 0;

	Job(Source from, const ChunkingParameters &chunking)
		: source(std::move(from)), next_offset(source.resume_offset),
		  chunker(chunking, source.resume_offset)
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
	std::uint64_t first_cut = 0; // where its pieces begin

	std::vector<Piece> pieces;
	std::vector<ReadyBlock> blocks;
	std::vector<Buffer> apart;

	Unit(bool large, std::size_t room_before, std::size_t size)
		: is_large(large), headroom(room_before), in(room_before + size)
	{
	}
	std::uint8_t *data() const { return in.data() + headroom; }
	void clear()
	{
		batch.clear();
		outcomes.clear();
		job.reset();
		offset = size = first_cut = 0;
		is_hole = is_last = false;
		pieces.clear();
		blocks.clear();
		apart.clear();
	}
};

struct Ingest::Shared {
	Settings settings;
	ChunkingParameters chunking;
	const File &root;
	IngestHooks hooks;
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
	bool is_stopping = false;
	std::exception_ptr failure;
	std::vector<std::unique_ptr<Unit>> units;
	std::vector<std::thread> threads;
	std::thread committer;
	Work &work;
	bool has_stream = false;

	Shared(const Settings &from, const ChunkingParameters &parameters, const File &directory, IngestHooks with)
		: settings(from), chunking(parameters), root(directory), hooks(std::move(with)),
		  work(*hooks.work)
	{
		small_limit = std::min(chunking.single_chunk_size(), small_file_limit);
		const std::uint64_t most = settings.performance.max_memory_usage;
		const std::uint64_t largest = chunking.largest_chunk();
		const std::uint64_t free = most > fixed_memory + largest ? most - fixed_memory - largest : 0;
		const std::uint64_t cores = settings.performance.max_worker_threads
			? settings.performance.max_worker_threads
			: std::max(1u, std::thread::hardware_concurrency());
		// A worker has room for compression, and one unit of each kind at least; one large unit and
		// some small ones are for those that wait to be committed.
		const auto cost = [&](std::uint64_t segment) {
			return largest + segment + worker_room + window_room + batch_bytes;
		};
		const std::uint64_t parked = small_units_over * batch_bytes;
		const auto suffices = [&](std::uint64_t segment, std::uint64_t count) {
			return free >= count * cost(segment) + large_units_over * (largest + segment) + parked;
		};
		workers = cores;
		while (workers > 1 && !suffices(least_segment, workers))
			workers--;
		segment_size = usual_segment;
		while (segment_size > least_segment && !suffices(segment_size, workers))
			segment_size /= 2;
		most_large_units = workers + (suffices(segment_size, workers) ? large_units_over : 0);
		most_small_units = workers + small_units_over;
		// What a killed add has read for nothing are the batches of all units.
		batch_size = std::clamp<std::uint64_t>(settings.performance.checkpoint_interval / (most_small_units + 1), 1,
			settings.performance.batch_size);
	}

	// A unit to take; nothing while all that there may be are on their way.
	Unit *find_free_unit(bool is_large)
	{
		std::size_t count = 0;
		for (const auto &unit : units) {
			if (unit->is_large == is_large && unit->is_free)
				return unit.get();
			count += unit->is_large == is_large;
		}
		if (count == (is_large ? most_large_units : most_small_units))
			return nullptr;
		const std::size_t headroom =
			is_large ? (chunking.largest_chunk() + window_room + direct_unit - 1) / direct_unit * direct_unit : window_room;
		const std::size_t size = is_large ? std::max(segment_size, chunking.largest_chunk()) : batch_bytes;
		units.push_back(std::make_unique<Unit>(is_large, headroom, size));
		return units.back().get();
	}
	// Compression is what takes the cores' time, and there is less of it when they and not the
	// storage hold the run back: when no unit waits for another to be stored.
	Effort effort()
	{
		std::lock_guard guard(mutex);
		const auto ready = std::count_if(units.begin(), units.end(), [](const auto &unit) { return unit->is_ready; });
		return ready > 1 ? Effort::usual : Effort::less;
	}
	Unit *find_ready_unit()
	{
		for (const auto &unit : units)
			if (unit->is_ready && unit->ticket == commit_turn)
				return unit.get();
		return nullptr;
	}
	template <typename Runner> void start(std::thread &thread);

	void fail(std::exception_ptr error)
	{
		std::lock_guard guard(mutex);
		if (!failure)
			failure = error;
		is_stopping = true;
		changed.notify_all();
	}
	void rethrow()
	{
		if (failure)
			std::rethrow_exception(failure);
	}
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

struct Stopped {};

// Whoever empties a file is about to write another: what is in it now is not worth a second reading.
static std::string cut_short(const std::string &path)
{
	return quoted(path) + " was cut short while it was read; add it again when it is complete";
}

class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), clock_(shared.work), together_(shared.root, shared.settings.performance.async_io)
	{
		if (shared.hooks.claim)
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
	// --- claiming ---------------------------------------------------------------------

	// What is next to take, in a unit that is free; nothing at the end.
	Unit *claim()
	{
		std::unique_lock lock(shared_.mutex);
		for (;;) {
			if (shared_.failure || (shared_.is_stopping && shared_.queue.empty()))
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
		unit.clear();
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
		if (job.is_sparse) {
			const std::uint64_t data = job.file.next_data(job.next_offset, job.size);
			if (data - job.next_offset >= hole_limit) {
				unit.is_hole = true;
				unit.size = data - job.next_offset;
			}
		}
		job.next_offset += unit.size;
		unit.is_last = job.all_claimed = job.next_offset == job.size;
	}

	void open_job(Job &job)
	{
		job.is_open = true;
		job.outcome.read_began_ns = now_ns();
		if (job.source.stream)
			return;
		try {
			job.file = open_source(job.source);
			job.outcome.stat = job.file.stat();
			if (job.outcome.stat.type != FileType::regular)
				throw Error("it is no regular file any more");
			job.size = job.outcome.stat.size;
			job.is_sparse = job.outcome.stat.blocks * 512 < job.size;
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
		if (job.outcome.error.empty() && !job.outcome.has_changed) {
			if (unit.is_hole)
				cut_hole(job, unit);
			else
				cut(job, unit, size);
			if (shared_.settings.core.file_digest)
				for (const Piece &piece : unit.pieces)
					job.whole.update(piece.bytes.empty() ? zero_bytes(piece.size) : piece.bytes);
		}
		pass([&] { job.cut_turn++; });
		clock_.lap(Step::cut);
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
				give_up(job, cut_short(job.source.path), false);
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

	static void add_piece(Unit &unit, Bytes bytes) { unit.pieces.push_back({bytes, bytes.size(), {}}); }

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
	// is nothing to look at.
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
			unit.pieces.push_back({{}, size, zero_chunk_digest(size)});
			job.chunker.skip(size);
			left -= size;
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
			// Files of the kernel's have content in spite of their size.
			const bool is_short = room.empty() ? file.read_at({&first, 1}, 0) > 0 : file.read_at(room, 0) < room.size();
			outcome.stat = file.stat();
			if (outcome.stat.type != FileType::regular)
				throw Error("it is no regular file any more");
			const std::size_t n = checked_size(source, room.size(), outcome);
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
				piece.id = zero_chunk_digest(piece.size);
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
			if (piece.size == 0 || !shared_.hooks.claim(piece.id))
				continue;
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
		shared_.changed.wait(lock, [&] { return shared_.failure || condition(); });
		if (shared_.failure)
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

// Takes units to the hooks in the order of their tickets.
class Ingest::Committer {
public:
	explicit Committer(Shared &shared) : shared_(shared), clock_(shared.work) {}

	void run()
	{
		std::unique_lock lock(shared_.mutex);
		for (;;) {
			Unit *const unit = shared_.find_ready_unit();
			if (shared_.failure || (!unit && shared_.is_stopping && shared_.is_idle()))
				return;
			if (!unit) {
				shared_.changed.wait(lock);
				continue;
			}
			lock.unlock();
			clock_.restart();
			commit(*unit);
			clock_.lap(Step::write);
			lock.lock();
			shared_.commit_turn++;
			unit->is_ready = false;
			unit->is_free = true;
			shared_.changed.notify_all();
		}
	}

private:
	void commit(Unit &unit)
	{
		if (unit.job)
			commit_segment(*unit.job, unit);
		else
			for (std::size_t i = 0; i < unit.batch.size(); i++)
				commit_small(unit.batch[i], unit.pieces[i], unit.outcomes[i]);
		store_blocks(unit.blocks);
	}

	void commit_small(Source &source, const Piece &piece, SourceOutcome &outcome)
	{
		// One chunk: its id is that digest.
		if (shared_.settings.core.file_digest && source.kind == EntryKind::file)
			outcome.digest = piece.size ? piece.id : digest_of(Bytes());
		if (outcome.error.empty() && !outcome.has_changed && piece.size > 0) {
			const ChunkRef ref{0, piece.size, piece.id};
			count_chunks({&ref, 1});
			shared_.hooks.chunks(source, {&ref, 1});
		}
		count_file(outcome);
		shared_.hooks.finished(source, outcome);
	}

	void count_file(const SourceOutcome &outcome)
	{
		if (outcome.error.empty() && !outcome.has_changed)
			shared_.work.files.add();
	}

	void count_chunks(std::span<const ChunkRef> refs)
	{
		std::uint64_t bytes = 0;
		for (const ChunkRef &ref : refs)
			bytes += ref.size;
		shared_.work.chunks.add(refs.size());
		shared_.work.bytes.add(bytes);
	}

	void commit_segment(Job &job, const Unit &unit)
	{
		refs_.clear();
		std::uint64_t offset = unit.first_cut;
		for (const Piece &piece : unit.pieces) {
			refs_.push_back({offset, piece.size, piece.id});
			offset += piece.size;
		}
		count_chunks(refs_);
		if (!refs_.empty())
			shared_.hooks.chunks(job.source, refs_);
		job.committed++;
		bool is_done;
		{
			std::lock_guard guard(shared_.mutex);
			is_done = job.all_claimed && job.committed == job.claimed;
		}
		if (is_done)
			finish(job, offset);
	}

	void finish(Job &job, std::uint64_t size)
	{
		SourceOutcome &outcome = job.outcome;
		if (shared_.settings.core.file_digest && job.source.resume_offset == 0)
			outcome.digest = job.whole.finish();
		if (outcome.error.empty() && !outcome.has_changed) {
			if (job.source.stream) {
				outcome.stat.type = FileType::regular;
				outcome.stat.size = size;
			} else {
				const FileStat before = outcome.stat;
				outcome.stat = job.file.stat();
				outcome.has_changed = !is_same_content(before, outcome.stat);
				if (outcome.stat.size < before.size)
					outcome.error = cut_short(job.source.path);
			}
		}
		job.file = File();
		count_file(outcome);
		shared_.hooks.finished(job.source, outcome);
	}

	void store_blocks(std::span<const ReadyBlock> blocks)
	{
		const Region region("store");
		for (const ReadyBlock &block : blocks)
			shared_.work.stored_bytes.add(block.payload.size());
		if (shared_.hooks.store)
			shared_.hooks.store(blocks);
	}

	Shared &shared_;
	StepClock clock_;
	std::vector<ChunkRef> refs_;
};

template <typename Runner> void Ingest::Shared::start(std::thread &thread)
{
	thread = std::thread([this] {
		try {
			Runner(*this).run();
		} catch (const Stopped &) {
		} catch (...) {
			fail(std::current_exception());
		}
	});
}

void Ingest::Shared::push(Item item, std::unique_lock<std::mutex> &lock)
{
	changed.wait(lock, [&] { return failure || queue.size() < workers + 1; });
	rethrow();
	// All of them for something large, else one a unit: one file needs one worker.
	const bool is_large = item.job && (item.job->source.stream || item.job->source.stat->size > segment_size);
	queue.push_back(std::move(item));
	if (!committer.joinable())
		start<Committer>(committer);
	do {
		if (threads.size() == workers)
			break;
		work.workers.set(threads.size() + 1);
		start<Worker>(threads.emplace_back());
	} while (is_large);
	changed.notify_all();
}

Ingest::Ingest(const Settings &settings, const ChunkingParameters &chunking, const File &root,
	IngestHooks hooks)
	: shared_(std::make_unique<Shared>(settings, chunking, root, std::move(hooks)))
{
}

Ingest::~Ingest()
{
	{
		std::lock_guard guard(shared_->mutex);
		shared_->is_stopping = true;
		shared_->queue.clear();
		// Workers that wait for a turn give up, too.
		if (!shared_->is_idle() && !shared_->failure)
			shared_->failure = std::make_exception_ptr(Stopped());
	}
	shared_->changed.notify_all();
	for (std::thread &thread : shared_->threads)
		thread.join();
	if (shared_->committer.joinable())
		shared_->committer.join();
}

std::size_t Ingest::worker_count() const { return shared_->workers; }

void Ingest::submit(Source source)
{
	Shared &shared = *shared_;
	const bool is_small = !source.stream && source.resume_offset == 0 &&
		(source.kind == EntryKind::symlink || source.stat->size <= shared.small_limit);
	shared.work.total_files.add();
	if (source.stream)
		shared.has_stream = true;
	else
		shared.work.total_bytes.add(source.stat->size - std::min(source.stat->size, source.resume_offset));
	std::unique_lock lock(shared.mutex);
	if (!is_small) {
		shared.push_collected(lock);
		shared.push({{}, std::make_shared<Job>(std::move(source), shared.chunking)}, lock);
		return;
	}
	const std::uint64_t size = source.kind == EntryKind::symlink ? max_link_size : source.stat->size;
	if (shared.collecting.size() >= shared.batch_size ||
		shared.collecting_bytes + size > batch_bytes)
		shared.push_collected(lock);
	shared.collecting_bytes += size + 1;
	shared.collecting.push_back(std::move(source));
}

void Ingest::drain()
{
	Shared &shared = *shared_;
	std::unique_lock lock(shared.mutex);
	shared.push_collected(lock);
	shared.work.is_total_known = !shared.has_stream;
	shared.changed.wait(lock, [&] { return shared.failure || shared.is_idle(); });
	shared.rethrow();
}

} // namespace dig
