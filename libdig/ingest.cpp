#include "libdig/ingest.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <thread>

#include "libdig/arena.h"
#include "libdig/mapped_read.h"
#include "libdig/node_blocks.h"
#include "libdig/process.h"
#include "libdig/read_batch.h"
#include "libdig/sha256_lanes.h"
#include "libdig/trace.h"

namespace dig {

constexpr std::size_t window_room = 64; // readable bytes before the first one scanned
constexpr std::uint64_t usual_segment = 4_MiB, least_segment = 1_MiB;
constexpr std::uint64_t small_file_limit = 128_KiB;
constexpr std::uint64_t batch_bytes = 1536_KiB;
// Small chunks are compressed together, in blocks of about this size: performance.md's
// measurements have their best ratio here, and one of them decodes in 0.15 ms.
constexpr std::uint64_t solid_block = 256_KiB;
constexpr std::uint64_t solid_chunk_limit = 64_KiB;
// What everything but the workers' buffers takes: the set of staged items, the index's spool,
// filters, the program itself.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t probe_size = 16_KiB;
constexpr std::uint64_t hole_limit = 1_MiB; // shorter holes are read
// What is not in the page cache is read past it, from files of this size on: filling the cache costs
// more than all hashing, and it pushes out what others have there.
constexpr std::uint64_t uncached_limit = 16_MiB;
constexpr std::uint64_t direct_unit = 4096; // of O_DIRECT

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

struct Unit {
	std::uint64_t ticket = 0;
	std::vector<Source> batch;
	// Or a segment:
	std::shared_ptr<void> job;
	std::uint32_t segment = 0;
	std::uint64_t offset = 0, size = 0;
	bool is_hole = false, is_last = false;
};

struct Ingest::Shared {
	Settings settings;
	ChunkingParameters chunking;
	const File &root;
	IngestHooks hooks;
	std::uint64_t segment_size, small_limit, batch_size;
	std::size_t workers;

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
	std::vector<std::thread> threads;
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
		// A buffer for what is read and one for what is compressed.
		const auto cost = [&](std::uint64_t segment) { return 2 * (largest + segment); };
		segment_size = usual_segment;
		while (segment_size > least_segment && free < cost(segment_size) * cores)
			segment_size /= 2;
		workers = std::clamp<std::uint64_t>(free / cost(segment_size), 1, cores);
		if (workers < 2 && free >= 2 * cost(least_segment) && cores >= 2) {
			workers = 2;
			segment_size = least_segment;
		}
		// What a killed add has read for nothing are the batches of all workers.
		batch_size = std::clamp<std::uint64_t>(settings.performance.checkpoint_interval / (workers + 1), 1,
			settings.performance.batch_size);
	}

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

class Ingest::Worker {
public:
	explicit Worker(Shared &shared)
		: shared_(shared), clock_(shared.work),
		  headroom_((shared.chunking.largest_chunk() + window_room + direct_unit - 1) / direct_unit * direct_unit),
		  capacity_(std::max(headroom_ + std::max(shared.segment_size, shared.chunking.largest_chunk()),
			  window_room + batch_bytes)),
		  in_(capacity_), out_(capacity_),
		  compressor_(codec_of(shared.settings), static_cast<int>(shared.settings.core.compression_level)),
		  together_(shared.root, shared.settings.performance.async_io)
	{
	}

	void run()
	{
		try {
			while (std::optional<Unit> unit = claim())
				if (unit->job)
					take_segment(*unit);
				else
					take_batch(*unit);
		} catch (const Stopped &) {
		} catch (...) {
			shared_.fail(std::current_exception());
		}
	}

private:
	// --- claiming ---------------------------------------------------------------------

	std::optional<Unit> claim()
	{
		std::unique_lock lock(shared_.mutex);
		for (;;) {
			shared_.changed.wait(lock, [&] { return shared_.is_stopping || !shared_.queue.empty(); });
			if (shared_.queue.empty() || shared_.failure)
				return {};
			Shared::Item &front = shared_.queue.front();
			Unit unit;
			unit.ticket = shared_.next_ticket;
			if (front.job) {
				const std::shared_ptr<Job> job = front.job;
				claim_segment(*job, unit);
				unit.job = job;
				if (job->all_claimed)
					shared_.queue.pop_front();
			} else {
				unit.batch = std::move(front.batch);
				shared_.queue.pop_front();
			}
			shared_.next_ticket++;
			shared_.changed.notify_all();
			clock_.lap(Step::idle);
			return unit;
		}
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

	struct Piece {
		Bytes bytes;  // empty for a chunk of zeros that nobody has to read
		std::uint64_t size;
		Digest id;
	};

	void take_segment(Unit &unit)
	{
		Job &job = *static_cast<Job *>(unit.job.get());
		pieces_.clear();
		std::uint8_t *segment = in_.data() + headroom_;
		std::size_t size = 0;
		if (job.source.stream)
			size = read_stream(job, unit, segment);
		else if (!unit.is_hole && unit.size > 0)
			size = read_file(job, unit, segment);
		clock_.lap(Step::read);
		await([&] { return job.cut_turn == unit.segment; });
		clock_.lap(Step::wait);
		const std::uint64_t offset = job.chunker.offset();
		if (job.outcome.error.empty() && !job.outcome.has_changed) {
			if (unit.is_hole)
				cut_hole(job, unit);
			else
				cut(job, segment, size, unit.is_last);
			if (shared_.settings.core.file_digest)
				for (const Piece &piece : pieces_)
					job.whole.update(piece.bytes.empty() ? zero_bytes(piece.size) : piece.bytes);
		}
		pass([&] { job.cut_turn++; });
		clock_.lap(Step::cut);
		hash_pieces();
		blocks_.clear();
		store_pieces();
		await([&] { return shared_.commit_turn == unit.ticket; });
		clock_.lap(Step::wait);
		commit_segment(job, unit, offset);
		pass([&] { shared_.commit_turn++; });
		clock_.lap(Step::write);
	}

	// Whoever empties a file is about to write another: what is in it now is not worth a second reading.
	static std::string cut_short(const std::string &path)
	{
		return quoted(path) + " was cut short while it was read; add it again when it is complete";
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

	std::size_t read_stream(Job &job, Unit &unit, std::uint8_t *to)
	{
		await([&] { return job.read_turn == unit.segment; });
		clock_.lap(Step::wait);
		std::size_t done = 0;
		if (!job.at_end) {
			try {
				done = read_some_stream(job.source, unit, to);
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

	void add_piece(Bytes bytes) { pieces_.push_back({bytes, bytes.size(), {}}); }

	// Places the cuts in what is left of the segment before and in this one.
	void cut(Job &job, std::uint8_t *segment, std::size_t size, bool is_last)
	{
		const Region region("cut");
		std::uint8_t *at = segment - job.carry_size;
		if (job.carry_size)
			std::memcpy(at, job.carry.data(), job.carry_size);
		std::uint8_t *const end = segment + size;
		while (at < end) {
			const std::size_t n = job.chunker.next({at, end}, is_last);
			if (n == 0)
				break;
			add_piece({at, n});
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
		std::uint8_t *buffer = in_.data() + window_room;
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
			add_piece({buffer, n});
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
			pieces_.push_back({{}, size, zero_chunk_digest(size)});
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
		pieces_.clear();
		outcomes_.clear();
		outcomes_.resize(unit.batch.size());
		check_interrupted();
		read_together(unit.batch);
		std::uint8_t *to = in_.data() + window_room;
		for (std::size_t i = 0; i < unit.batch.size(); i++) {
			const Source &source = unit.batch[i];
			std::size_t n;
			if (batched_[i].is_read) {
				outcomes_[i].stat = batched_[i].stat;
				n = checked_size(source, source.stat->size, outcomes_[i]);
			} else {
				check_interrupted();
				n = read_small(source, {to, room_of(source)}, outcomes_[i]);
			}
			pieces_.push_back({{to, n}, n, {}});
			to += room_of(source);
		}
		clock_.lap(Step::read);
		hash_pieces();
		blocks_.clear();
		store_pieces();
		await([&] { return shared_.commit_turn == unit.ticket; });
		clock_.lap(Step::wait);
		for (std::size_t i = 0; i < unit.batch.size(); i++)
			commit_small(unit.batch[i], pieces_[i], outcomes_[i]);
		store_blocks();
		pass([&] { shared_.commit_turn++; });
		clock_.lap(Step::write);
	}

	// As large as the source was said to be, whatever comes of it.
	static std::size_t room_of(const Source &source)
	{
		return source.kind == EntryKind::symlink ? max_link_size : source.stat->size;
	}

	// Those that make no trouble, all at once.
	void read_together(const std::vector<Source> &batch)
	{
		batched_.assign(batch.size(), {});
		std::uint8_t *to = in_.data() + window_room;
		const std::int64_t now = now_ns();
		for (std::size_t i = 0; i < batch.size(); i++) {
			outcomes_[i].read_began_ns = now;
			const MutableBytes room(to, room_of(batch[i]));
			to += room.size();
			if (batch[i].kind == EntryKind::file && !batch[i].opened && !room.empty()) {
				batched_[i].path = &batch[i].path;
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

	// --- hashing and storing ----------------------------------------------------------

	void hash_pieces()
	{
		const Region region("hash");
		jobs_.clear();
		for (Piece &piece : pieces_) {
			if (piece.bytes.empty())
				continue;
			if (piece.size >= 64_KiB && piece.bytes[0] == 0 && is_zero(piece.bytes))
				piece.id = zero_chunk_digest(piece.size);
			else
				jobs_.push_back({piece.bytes, &piece.id});
		}
		sha256_many(jobs_);
		clock_.lap(Step::hash);
	}

	// Compresses what nobody has yet, into blocks that commit writes.
	void store_pieces()
	{
		if (!shared_.hooks.claim)
			return;
		std::uint8_t *out = out_.data();
		fresh_.clear();
		std::uint64_t small_bytes = 0;
		for (Piece &piece : pieces_) {
			if (piece.size == 0 || !shared_.hooks.claim(piece.id))
				continue;
			shared_.work.new_bytes.add(piece.size);
			if (piece.bytes.empty())
				piece.bytes = zero_bytes(piece.size);
			fresh_.push_back(&piece);
			if (piece.size < solid_chunk_limit || piece.size <= shared_.small_limit)
				small_bytes += piece.size;
		}
		clock_.lap(Step::lookup);
		const Region region("compress");
		// Blocks of even size: no small rest that compresses badly.
		const std::uint64_t count = std::max<std::uint64_t>(1, (small_bytes + solid_block / 2) / solid_block);
		const std::uint64_t target = (small_bytes + count - 1) / count;
		for (std::size_t i = 0; i < fresh_.size();)
			if (fresh_[i]->size < solid_chunk_limit || fresh_[i]->size <= shared_.small_limit)
				i = add_solid_block(i, target, out);
			else
				add_block({fresh_[i]->bytes}, i, i + 1, out), i++;
		clock_.lap(Step::compress);
	}

	// A block of small chunks from the i-th on; they are moved together in memory.
	std::size_t add_solid_block(std::size_t first, std::uint64_t target, std::uint8_t *&out)
	{
		std::uint8_t *start = const_cast<std::uint8_t *>(fresh_[first]->bytes.data());
		std::size_t size = 0, i = first;
		for (; i < fresh_.size() && i - first < max_block_items; i++) {
			const Piece &piece = *fresh_[i];
			const bool is_small = piece.size < solid_chunk_limit || piece.size <= shared_.small_limit;
			const bool is_ours = piece.bytes.data() >= in_.data() && piece.bytes.data() < in_.data() + capacity_;
			if (i > first && (!is_small || !is_ours || size + piece.size / 2 > target))
				break;
			if (start + size != piece.bytes.data())
				std::memmove(start + size, piece.bytes.data(), piece.size);
			size += piece.size;
			if (!is_ours) {
				i++;
				break;
			}
		}
		add_block({start, size}, first, i, out);
		return i;
	}

	void add_block(Bytes raw, std::size_t first, std::size_t last, std::uint8_t *&out)
	{
		ReadyBlock block{ItemKind::chunk, Codec::none, {}, {}, raw};
		for (std::size_t i = first; i < last; i++) {
			block.sizes.push_back(static_cast<std::uint32_t>(fresh_[i]->size));
			block.digests.push_back(fresh_[i]->id);
		}
		if (const std::size_t size = compress(raw, out)) {
			block.codec = compressor_.codec();
			block.payload = {out, size};
			out += size;
		}
		blocks_.push_back(std::move(block));
	}

	// The compressed size at out, or 0 when the block stays as it is.
	std::size_t compress(Bytes raw, std::uint8_t *out)
	{
		if (compressor_.codec() == Codec::none || raw.size() < shared_.settings.performance.compression_threshold)
			return 0;
		const MutableBytes room(out, static_cast<std::size_t>(out_.data() + capacity_ - out));
		if (raw.size() >= 8 * probe_size && !looks_compressible(raw, room))
			return 0;
		return compressor_.compress(raw, room, raw.size() - raw.size() / 20);
	}

	// Three samples: content that shrinks nowhere in them is not worth the whole.
	bool looks_compressible(Bytes raw, MutableBytes room)
	{
		for (std::size_t at : {std::size_t(0), raw.size() / 2, raw.size() - probe_size})
			if (compressor_.compress(raw.subspan(at, probe_size), room, probe_size - probe_size / 32))
				return true;
		return false;
	}

	// --- committing -------------------------------------------------------------------

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

	void commit_segment(Job &job, const Unit &, std::uint64_t offset)
	{
		refs_.clear();
		for (const Piece &piece : pieces_) {
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
		store_blocks();
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

	void store_blocks()
	{
		const Region region("store");
		for (const ReadyBlock &block : blocks_)
			shared_.work.stored_bytes.add(block.payload.size());
		if (shared_.hooks.store)
			shared_.hooks.store(blocks_);
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
	std::size_t headroom_, capacity_;
	Arena in_, out_;
	Compressor compressor_;
	std::vector<Piece> pieces_;
	std::vector<Piece *> fresh_;
	std::vector<HashJob> jobs_;
	std::vector<ReadyBlock> blocks_;
	std::vector<ChunkRef> refs_;
	std::vector<SourceOutcome> outcomes_;
	BatchReader together_;
	std::vector<BatchedFile> batched_;
};

void Ingest::Shared::push(Item item, std::unique_lock<std::mutex> &lock)
{
	changed.wait(lock, [&] { return failure || queue.size() < workers + 1; });
	rethrow();
	// All of them for something large, else one a unit: one file needs one worker.
	const bool is_large = item.job && (item.job->source.stream || item.job->source.stat->size > segment_size);
	queue.push_back(std::move(item));
	do {
		if (threads.size() == workers)
			break;
		work.workers.set(threads.size() + 1);
		threads.emplace_back([this] {
			try {
				Worker(*this).run();
			} catch (...) {
				fail(std::current_exception());
			}
		});
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
