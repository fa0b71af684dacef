#include "libdig/store/read_pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "libdig/os/process.h"
#include "libdig/os/workers.h"

// One stream of bytes is read by several threads, in memory that is bounded, and handed out in order.
//
// Threads claim units: chunks of some MiB that follow each other in the content.  One chunk a unit
// would leave nothing to hash side by side, and much to lock.  A unit has a number, and two things
// happen in the order of numbers.
//
// The first one is taking memory.  Suppose that any thread took memory when it came to it: threads with
// later units could fill the ring, and the unit that has to be handed out next would wait for memory
// that nobody gives back before that unit is out.  So a unit takes memory only after all before it have
// theirs.
//
// The second one is handing out.  A thread that has read its unit puts it to the others that are ready.
// If nobody is handing out, it does so itself, for all units that follow each other.  So the taker gets
// its bytes from several threads, but never from two at once.  A thread of its own for this would have
// to be woken up for each unit, and would take a core from those that decode.
//
// A chunk that cannot be read is a failure of its unit.  It is thrown when the unit's turn comes, so
// that all bytes before it are out.  Then the other threads are stopped: they wait for a turn or for
// memory, and both end with a stop.  Memory that was stopped is thrown away.
//
// An extent of some hundred KiB is read without all of this, chunk by chunk in the calling thread:
// for so little, threads and large buffers cost more than they gain.

namespace dig {

constexpr std::uint64_t little_content = 512_KiB;
// A unit holds no more chunks than keep its bookkeeping small.
constexpr std::size_t max_unit_chunks = 1024;
// That are claimed and not taken, since a unit of equal chunks needs hardly any of the memory.
constexpr std::uint64_t most_units = 64;
// What the process takes besides content and decoded blocks: itself, look-ups, nodes.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t thread_memory = 192_KiB; // a decompressor and a stack
constexpr std::uint64_t least_memory = 8_MiB;
// Several of the largest chunks (2 MiB in the mean) side by side are hashed at almost twice the
// speed of one; larger units gain nothing more.
constexpr std::uint64_t least_unit = 1_MiB, largest_unit = 8_MiB;

ReadPlan::ReadPlan(const Settings &settings)
{
	const Settings::Performance &performance = settings.performance;
	threads = worker_threads(settings);
	const std::uint64_t taken = fixed_memory + performance.chunk_cache_size + threads * thread_memory;
	const std::uint64_t most = memory_budget(settings);
	const std::uint64_t room = most > taken + least_memory ? most - taken : least_memory;
	// One for each thread, one being taken, one that waits to be.
	unit = std::clamp(room / (threads + 2), least_unit, largest_unit);
	memory = std::min<std::uint64_t>(room, (threads + 2) * unit);
}

std::size_t ReadPlan::carried(std::uint64_t chunk) const
{
	const std::uint64_t count = memory / std::max(unit, chunk);
	return std::clamp<std::uint64_t>(count, 3, threads + 2) - 2;
}

void carry_readers(Work &work, const Settings &settings, std::uint64_t chunk)
{
	const std::size_t wanted = worker_threads(settings);
	work.carry_workers(wanted, ReadPlan(settings).carried(chunk), [&] {
		return memory_that_carries(settings,
			[&](const Settings &with) { return ReadPlan(with).carried(chunk) >= wanted; });
	});
}

// The part of a chunk that the extent covers.
static Bytes part_of(const ContentChunk &chunk, Bytes bytes, const ByteRange::Extent &extent)
{
	const std::uint64_t from = std::max(chunk.offset, extent.offset);
	const std::uint64_t to = std::min(chunk.offset + chunk.size, extent.offset + extent.size);
	return bytes.subspan(from - chunk.offset, to - from);
}

// One call of read().  Threads take turns by the number of their unit: for memory, so that the
// unit that is next to be taken never waits for one behind it, and for handing out.
struct ReadPipeline::Run {
	struct Unit {
		std::uint64_t number = 0;
		std::vector<WantedChunk> chunks;
		ReadMemory::Lease memory;
		std::exception_ptr failure;
	};

	Run(Store &from, Work &with, ReadMemory &through, std::uint64_t size, const Entry &entry,
		const ByteRange::Extent &what, const Take &to)
		: store(from), counts(with), memory(through), unit_size(size), sequence(from, entry, what), extent(what),
		  take(to)
	{
	}

	bool claim(Unit &unit)
	{
		std::lock_guard guard(mutex);
		if (is_claimed || workers.is_stopped())
			return false;
		unit.number = claimed++;
		unit.chunks.clear();
		unit.failure = nullptr;
		try {
			fill(unit);
		} catch (...) {
			// What lies before it is handed out first.
			unit.failure = std::current_exception();
			is_claimed = true;
		}
		return !unit.chunks.empty() || unit.failure;
	}

	void fill(Unit &unit)
	{
		check_interrupted();
		for (std::uint64_t size = 0; size < unit_size && unit.chunks.size() < max_unit_chunks;) {
			std::optional<ContentChunk> chunk = kept ? std::exchange(kept, std::nullopt) : sequence.next();
			if (!chunk) {
				is_claimed = true;
				break;
			}
			if (size > 0 && chunk->size > unit_size - size) {
				kept = chunk;
				break;
			}
			size += chunk->size;
			unit.chunks.emplace_back().chunk = *chunk;
		}
	}

	void work()
	{
		ChunkReader reader(store, store.cache(), counts);
		for (Unit unit; claim(unit);) {
			const std::size_t size = reader.locate(unit.chunks);
			await_memory_turn(unit.number);
			unit.memory = memory.take(size);
			pass_memory_turn();
			reader.clock().lap(Step::wait);
			reader.read(unit.chunks, unit.memory.bytes());
			hand_over(std::move(unit));
			reader.clock().lap(Step::write);
			unit = Unit();
		}
	}

	void await_memory_turn(std::uint64_t number)
	{
		std::unique_lock lock(mutex);
		changed.wait(lock, [&] {
			return workers.is_stopped() || (memory_turn == number && number < taken + most_units);
		});
		if (workers.is_stopped())
			throw ReadMemory::Stopped();
	}

	void pass_memory_turn()
	{
		{
			std::lock_guard guard(mutex);
			memory_turn++;
		}
		changed.notify_all();
	}

	// Whoever brings the unit that is next hands out all that are ready.
	void hand_over(Unit unit)
	{
		std::unique_lock lock(mutex);
		ready.push_back(std::move(unit));
		if (is_handing_out)
			return;
		is_handing_out = true;
		for (;;) {
			const auto next = std::find_if(ready.begin(), ready.end(),
				[&](const Unit &each) { return each.number == taken; });
			if (next == ready.end() || workers.is_stopped())
				break;
			Unit now = std::move(*next);
			ready.erase(next);
			lock.unlock();
			hand_out(now);
			now.memory.give_back();
			lock.lock();
			taken++;
			changed.notify_all();
		}
		is_handing_out = false;
	}

	void hand_out(const Unit &unit)
	{
		for (const WantedChunk &wanted : unit.chunks) {
			if (wanted.has_failed())
				throw Error(wanted.failure, wanted.status);
			check_interrupted();
			const Bytes part = part_of(wanted.chunk, wanted.bytes, extent);
			take(part);
			counts.chunks.add();
			counts.bytes.add(part.size());
		}
		if (unit.failure)
			std::rethrow_exception(unit.failure);
	}

	void wake_all()
	{
		{
			// Who is about to wait has seen the stop, or waits by now.
			std::lock_guard guard(mutex);
		}
		changed.notify_all();
		memory.stop();
	}

	Store &store;
	Work &counts;
	ReadMemory &memory;
	std::uint64_t unit_size;
	ChunkSequence sequence;
	std::optional<ContentChunk> kept; // did not fit into the last unit
	ByteRange::Extent extent;
	const Take &take;

	std::mutex mutex;
	std::condition_variable changed;
	bool is_claimed = false; // to the end
	std::uint64_t claimed = 0, memory_turn = 0, taken = 0;
	std::deque<Unit> ready;
	bool is_handing_out = false;
	Workers workers{[this] { wake_all(); }};
};

ReadPipeline::ReadPipeline(Store &store, Work &work) : store_(store), work_(work), plan_(store.settings()) {}

void ReadPipeline::read_little(const Entry &entry, const ByteRange::Extent &extent, const Take &take)
{
	ChunkSequence sequence(store_, entry, extent);
	StepClock clock(work_);
	while (const std::optional<ContentChunk> chunk = sequence.next()) {
		const Buffer bytes = store_.read_item(ItemKind::chunk, chunk->id);
		if (bytes.size() != chunk->size)
			throw wrong_chunk_size(chunk->id);
		check_interrupted();
		clock.lap(Step::read);
		const Bytes part = part_of(*chunk, bytes, extent);
		take(part);
		clock.lap(Step::write);
		work_.chunks.add();
		work_.bytes.add(part.size());
	}
}

void ReadPipeline::read(const Entry &entry, const ByteRange::Extent &extent, const Take &take)
{
	if (extent.size == 0)
		return;
	if (extent.size <= little_content) {
		read_little(entry, extent, take);
		return;
	}
	carry_readers(work_, store_.settings(), store_.chunking().target_at(extent.offset + extent.size - 1));
	if (!memory_)
		memory_ = std::make_unique<ReadMemory>(plan_.memory);
	Run run(store_, work_, *memory_, plan_.unit, entry, extent, take);
	const std::uint64_t units = (extent.size + plan_.unit - 1) / plan_.unit;
	const std::size_t count = std::min<std::uint64_t>(plan_.threads, units);
	const Workers::Job work = [&run] { run.work(); };
	work_.workers.set(run.workers.start(count - 1, work) + 1);
	run.workers.run(work);
	run.workers.wait();
	if (run.workers.is_stopped()) {
		// Stopped, the memory is of no use any more.
		run.ready.clear();
		memory_.reset();
	}
	run.workers.join();
}

} // namespace dig
