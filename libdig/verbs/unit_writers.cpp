#include "libdig/verbs/unit_writers.h"

#include <algorithm>

#include "libdig/base/trace.h"
#include "libdig/os/process.h"

// The planner is faster than the disk and slower than the page cache, so nobody knows beforehand how
// many threads pay.  A thread is started when a second unit waits, up to the number of the settings.
//
// The queue is short, because a unit in it holds its files open.  Where it is full, the planner writes
// a unit itself instead of waiting.  So one thread alone does everything, which is also what happens on
// a machine that has no thread to give.
//
// Units take their memory from one ring (ReadMemory).  A thread holds the memory of one unit at most,
// and gives it back before it takes the next, so that none waits for itself.

namespace dig {

// Units follow the order in which small files were stored, so that two of them share at most the
// block between them.  The store's own cache would only grow.
constexpr std::size_t shared_blocks = 4_MiB;

UnitWriters::UnitWriters(Store &store, CheckoutTally &tally, Work &work)
	: store_(store), tally_(tally), work_(work), plan_(store.settings()), memory_(plan_.memory),
	  blocks_(shared_blocks), reader_(store, blocks_, work)
{
}

void UnitWriters::run(const std::function<void()> &plan)
{
	reader_.clock().lap(Step::walk);
	workers_.run([&] {
		plan();
		finish();
	});
	if (workers_.size() > 0)
		work_.workers.set(workers_.size() + 1);
	carry_readers(work_, store_.settings());
	workers_.join();
	work_.cache_hits.set(blocks_.hits());
	work_.cache_misses.set(blocks_.misses());
}

void UnitWriters::push(Unit unit)
{
	std::unique_lock lock(mutex_);
	if (workers_.is_stopped())
		throw ReadMemory::Stopped();
	if (queue_.size() >= plan_.threads + 1) {
		lock.unlock();
		reader_.clock().lap(Step::walk);
		write(reader_, unit);
		return;
	}
	queue_.push_back(std::move(unit));
	if (queue_.size() > 1 && workers_.size() + 1 < plan_.threads)
		add_worker();
	lock.unlock();
	changed_.notify_one();
}

void UnitWriters::add_worker()
{
	if (!workers_.start([this] { run_worker(); }))
		plan_.threads = workers_.size() + 1;
}

std::optional<Unit> UnitWriters::claim(bool waits)
{
	std::unique_lock lock(mutex_);
	if (waits)
		changed_.wait(lock, [&] { return workers_.is_stopped() || is_planned_ || !queue_.empty(); });
	if (workers_.is_stopped() || queue_.empty())
		return {};
	Unit unit = std::move(queue_.front());
	queue_.pop_front();
	return unit;
}

void UnitWriters::run_worker()
{
	ChunkReader reader(store_, blocks_, work_);
	while (std::optional<Unit> unit = claim(true)) {
		reader.clock().lap(Step::idle);
		write(reader, *unit);
	}
}

void UnitWriters::finish()
{
	while (std::optional<Unit> unit = claim(false))
		write(reader_, *unit);
	{
		std::lock_guard guard(mutex_);
		is_planned_ = true;
	}
	changed_.notify_all();
}

void UnitWriters::wake_all()
{
	{
		// Who is about to wait has seen the stop, or waits by now.
		std::lock_guard guard(mutex_);
	}
	changed_.notify_all();
	memory_.stop();
}

void UnitWriters::write(ChunkReader &reader, Unit &unit)
{
	if (const OldContent *old = unit.shares.front().target->old(); old && !old->is_known())
		drop_present(*old, unit);
	const std::size_t size = reader.locate(unit.chunks);
	const ReadMemory::Lease memory = memory_.take(size);
	reader.clock().lap(Step::wait);
	reader.read(unit.chunks, memory.bytes());
	const Region region("write");
	for (Unit::Share &share : unit.shares) {
		check_interrupted();
		try {
			put(*share.target, std::span(unit.chunks).subspan(share.first, share.count));
		} catch (const SystemError &error) {
			share.target->fail_unwritable(error);
		}
		release(share.target);
		share.target.reset();
	}
	reader.clock().lap(Step::write);
}

// Of a large file that is changed in place, takes out what it has already.
void UnitWriters::drop_present(const OldContent &old, Unit &unit)
{
	std::size_t largest = 0;
	for (const WantedChunk &wanted : unit.chunks)
		largest = std::max<std::size_t>(largest, wanted.chunk.size);
	const ReadMemory::Lease scratch = memory_.take(largest);
	std::erase_if(unit.chunks, [&](const WantedChunk &wanted) {
		if (!old.has(wanted.chunk, scratch.bytes()))
			return false;
		count(wanted.chunk);
		return true;
	});
	unit.shares.front().count = unit.chunks.size();
}

void UnitWriters::put(Target &target, std::span<const WantedChunk> chunks)
{
	for (const WantedChunk &wanted : chunks)
		if (wanted.has_failed()) {
			target.fail(wanted.failure, wanted.status);
			return;
		}
	if (target.has_failed())
		return;
	target.write(chunks);
	for (const WantedChunk &wanted : chunks)
		count(wanted.chunk);
}

void UnitWriters::release(const TargetPointer &target)
{
	if (!target->is_last_user())
		return;
	try {
		if (!target->has_failed())
			target->complete();
	} catch (const SystemError &error) {
		target->fail_unwritable(error);
	}
	if (target->has_failed())
		tally_.add_failure(target->failure());
}

void UnitWriters::count(const ContentChunk &chunk, std::uint64_t repeats)
{
	work_.chunks.add(repeats);
	work_.bytes.add(chunk.size * repeats);
}

} // namespace dig
