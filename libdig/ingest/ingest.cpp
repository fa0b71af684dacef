// What is submitted waits in a short queue, large files and batches in one order.  The queue is
// short because the thread that submits has read the directories that far ahead, and what changes
// there until a file is read has to be read again.
//
// Threads are started as work comes.  One small file needs a committer and one worker, on a machine
// with a hundred cores, too.  A large file starts all of them.
#include "libdig/ingest/ingest.h"

#include <algorithm>

#include "libdig/ingest/ingest_unit.h"
#include "libdig/os/machine.h"
#include "libdig/os/process.h"

namespace dig {

// Content in memory takes room beside the ring until it is read, however many workers there are.
constexpr std::uint64_t most_content_bytes = 4_MiB;

Ingest::Shared::Shared(const Settings &from, const ChunkingParameters &parameters, const File &directory,
	IngestSink &to, Work &counts)
	: settings(from), chunking(parameters), root(directory), sink(to), work(counts),
	  plan(plan_ingest(from, parameters, to.stores_content())), cores(usable_cores()),
	  compressors(from, plan.compressors, plan.room),
	  ring(plan.headroom, std::max(plan.ring, plan.least_ring_at_hole(parameters.largest_chunk())))
{
}

Ingest::Unit *Ingest::Shared::add_unit(Claim &claim, std::span<const Piece> pieces, std::uint64_t free_to,
	bool ends_claim)
{
	Unit *const unit = unit_pool.take();
	unit->claim = &claim;
	unit->pieces.assign(pieces.begin(), pieces.end());
	unit->free_to = free_to;
	unit->ends_claim = ends_claim;
	claim.units.push_back(unit);
	return unit;
}

void Ingest::Shared::wake_all()
{
	{
		// Who is about to wait has seen the stop, or waits by now.
		std::lock_guard guard(mutex);
	}
	may_work.notify_all();
	may_submit.notify_all();
	may_commit.notify_all();
}

void Ingest::Shared::rethrow(std::unique_lock<std::mutex> &lock)
{
	if (!threads.is_stopped())
		return;
	lock.unlock();
	threads.join();
}

// The committer, and one more worker; with fewer than were planned where the system has no more.
void Ingest::Shared::start_one_more()
{
	const bool has_committer = threads.size() > 0 || threads.start([this] { run_committer(); });
	const bool has_one_more = has_committer && threads.start([this] { run_worker(); });
	if (worker_count() == 0)
		throw Error("cannot start a thread; the limit of processes or of memory is reached");
	if (!has_one_more)
		plan.workers = worker_count();
	work.workers.set(worker_count());
}

void Ingest::Shared::carry(std::uint64_t target)
{
	if (largest_target && target <= *largest_target)
		return;
	largest_target = target;
	const std::size_t wanted = worker_threads(settings);
	work.carry_workers(wanted, plan.carried(target), [&] {
		return memory_that_carries(settings, [&](const Settings &with) {
			return plan_ingest(with, chunking, sink.stores_content()).carried(target) >= wanted;
		});
	});
}

void Ingest::Shared::push(Item item, std::unique_lock<std::mutex> &lock)
{
	wait_interruptibly(may_submit, lock, [&] {
		return threads.is_stopped() || (queue.size() < plan.workers + 1 && content_bytes < most_content_bytes);
	});
	rethrow(lock);
	content_bytes += item.content_bytes;
	// All of them for something large, else one a unit: one file needs one worker.
	const bool is_large = item.job && (item.job->source.stream || item.job->source.stat->size > plan.segment);
	queue.push_back(std::move(item));
	do {
		if (worker_count() == plan.workers)
			break;
		start_one_more();
	} while (is_large);
	call_worker();
}

void Ingest::Shared::push_collected(std::unique_lock<std::mutex> &lock)
{
	if (collecting.empty())
		return;
	Item item;
	item.batch.swap(collecting);
	for (const Source &source : item.batch)
		item.content_bytes += source.content ? source.content->size() : 0;
	collecting.reserve(item.batch.size());
	collecting_bytes = 0;
	carry(0);
	push(std::move(item), lock);
}

Ingest::Ingest(const Settings &settings, const ChunkingParameters &chunking, const File &root,
	IngestSink &sink, Work &work)
	: shared_(std::make_unique<Shared>(settings, chunking, root, sink, work))
{
}

Ingest::~Ingest() = default;

void Ingest::submit(Source source)
{
	Shared &shared = *shared_;
	const bool is_small = !source.stream && source.resume_offset == 0 && !source.takes_changing &&
		(source.kind == EntryKind::symlink || source.stat->size <= shared.plan.small_limit);
	shared.work.total_files.add();
	if (source.stream && !source.stream_size)
		shared.has_stream = true;
	else {
		const std::uint64_t size = source.stream ? *source.stream_size : source.stat->size;
		shared.work.total_bytes.add(size - std::min(size, source.resume_offset));
	}
	std::unique_lock lock(shared.mutex);
	if (!is_small) {
		shared.push_collected(lock);
		// Most of a large file is in the tier of its end.  A stream's end is not known.
		const std::uint64_t size = source.stream ? source.stream_size.value_or(0) : source.stat->size;
		shared.carry(shared.chunking.target_at(std::max<std::uint64_t>(size, 1) - 1));
		shared.push({{}, std::make_shared<Job>(std::move(source), shared.chunking, shared.plan.segment)}, lock);
		return;
	}
	const std::uint64_t size = source.kind == EntryKind::symlink ? max_link_size : source.stat->size;
	const IngestPlan::Batch &most = shared.steps_wait() ? shared.plan.batch : shared.plan.batch_in_turns;
	if (shared.collecting.size() >= most.files || shared.collecting_bytes + size > most.bytes)
		shared.push_collected(lock);
	shared.collecting_bytes += size + 1;
	shared.collecting.push_back(std::move(source));
}

void Ingest::wait_until_read()
{
	Shared &shared = *shared_;
	std::unique_lock lock(shared.mutex);
	shared.push_collected(lock);
	wait_interruptibly(shared.may_submit, lock, [&] { return shared.threads.is_stopped() || shared.queue.empty(); });
	shared.rethrow(lock);
}

std::uint64_t Ingest::small_limit() const { return shared_->plan.small_limit; }

void Ingest::drain()
{
	Shared &shared = *shared_;
	std::unique_lock lock(shared.mutex);
	shared.push_collected(lock);
	shared.work.is_total_known = !shared.has_stream;
	wait_interruptibly(shared.may_submit, lock, [&] { return shared.threads.is_stopped() || shared.is_idle(); });
	// What a stream's end shows may be that its writer was interrupted, too.
	check_interrupted();
	shared.rethrow(lock);
}

} // namespace dig
