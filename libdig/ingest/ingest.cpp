#include "libdig/ingest/ingest.h"

#include <algorithm>

#include "libdig/ingest/ingest_unit.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t usual_segment = 4_MiB, least_segment = 1_MiB;
// Units beyond one for each worker: one is being committed and one waits, while workers go on.
constexpr std::uint64_t large_units_over = 1, small_units_over = 3;
constexpr std::uint64_t small_file_limit = 128_KiB;
// Memory for all but the buffers of units: the set of staged items, the spool of the index, filters,
// the program itself.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t worker_room = 2_MiB; // of a BlockBuilder

Ingest::Shared::Shared(const Settings &from, const ChunkingParameters &parameters, const File &directory,
	IngestSink &to, Work &counts)
	: settings(from), chunking(parameters), root(directory), sink(to), work(counts)
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
	// The batches of all units are what a killed add has read in vain.
	batch_size = std::clamp<std::uint64_t>(settings.performance.checkpoint_interval / (most_small_units + 1), 1,
		settings.performance.batch_size);
}

Ingest::Unit *Ingest::Shared::find_free_unit(bool is_large)
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

Effort Ingest::Shared::effort()
{
	std::lock_guard guard(mutex);
	const auto ready = std::count_if(units.begin(), units.end(), [](const auto &unit) { return unit->is_ready; });
	return ready > 1 ? Effort::usual : Effort::less;
}

void Ingest::Shared::wake_all()
{
	{
		// Who is about to wait has seen the stop, or waits by now.
		std::lock_guard guard(mutex);
	}
	changed.notify_all();
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
		workers = worker_count();
	work.workers.set(worker_count());
}

void Ingest::Shared::push(Item item, std::unique_lock<std::mutex> &lock)
{
	wait_interruptibly(changed, lock, [&] { return threads.is_stopped() || queue.size() < workers + 1; });
	rethrow(lock);
	// All of them for something large, else one a unit: one file needs one worker.
	const bool is_large = item.job && (item.job->source.stream || item.job->source.stat->size > segment_size);
	queue.push_back(std::move(item));
	do {
		if (worker_count() == workers)
			break;
		start_one_more();
	} while (is_large);
	changed.notify_all();
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
	wait_interruptibly(shared.changed, lock, [&] { return shared.threads.is_stopped() || shared.is_idle(); });
	// What a stream's end shows may be that its writer was interrupted, too.
	check_interrupted();
	shared.rethrow(lock);
}

} // namespace dig
