// max_memory_usage is divided once, when an ingest begins.  First comes what the process needs
// anyway.  Of the rest, a quarter is for compressors and their results, if content is stored, and
// the ring has what is left.
//
// The number of workers is not a question of memory: a worker has nothing but its stack.  With more
// of them, segments, units and batches are smaller, so that the ring has something for each.  Small
// units cost more: fewer chunks are hashed side by side, and small files share smaller blocks.
#include "libdig/ingest/ingest_plan.h"

#include <algorithm>

#include "libdig/ingest/compressor_pool.h"

namespace dig {

constexpr std::uint64_t small_file_limit = 128_KiB;
constexpr std::uint64_t usual_batch = 1536_KiB, least_batch = 256_KiB;
constexpr std::uint64_t usual_segment = 4_MiB, least_segment = 512_KiB;
constexpr std::uint64_t window_room = 64; // readable bytes before the first one scanned
// Memory for all but this: the set of staged items, the spool of the index, filters, the program itself.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t thread_memory = 64_KiB; // stack and heap

static std::uint64_t power_of_two_below(std::uint64_t n)
{
	std::uint64_t power = 1;
	while (power * 2 <= n)
		power *= 2;
	return power;
}

IngestPlan plan_ingest(const Settings &settings, const ChunkingParameters &chunking, bool stores_content)
{
	IngestPlan plan{};
	const std::uint64_t largest = chunking.largest_chunk();
	plan.small_limit = std::min(chunking.single_chunk_size(), small_file_limit);
	plan.workers = worker_threads(settings);
	const std::uint64_t most = memory_budget(settings);
	const std::uint64_t taken = fixed_memory + plan.workers * thread_memory;
	const std::uint64_t free = most > taken ? most - taken : 0;

	const bool compresses = stores_content && settings.core.compression != Compression::none;
	// A quarter of the memory, half of it for compressors and half for their results.
	plan.compressors = compresses
		? std::clamp<std::uint64_t>(free / 8 / CompressorPool::compressor_memory, 1, plan.workers) : 1;
	plan.room = compresses ? std::clamp<std::uint64_t>(free / 8, 1_MiB, plan.compressors * 2_MiB) : 0;
	const std::uint64_t scratch = compresses ? plan.compressors * CompressorPool::compressor_memory + plan.room : 0;
	plan.headroom = largest + window_room;

	// The headroom is as large as the largest chunk, and a chunk that lies there is hardly ever that large.
	const std::uint64_t left = free > scratch + largest / 2 ? free - scratch - largest / 2 : 0;
	plan.segment = std::clamp(power_of_two_below(left / (plan.workers + 2) / 2), least_segment, usual_segment);
	plan.ring = std::max<std::uint64_t>(left, 2 * least_segment);
	plan.unit = std::clamp<std::uint64_t>(plan.ring / (4 * plan.workers), least_segment, plan.segment);
	plan.batch_bytes = std::clamp(plan.ring / (2 * plan.workers + 2), least_batch, usual_batch);
	plan.most_batches = plan.workers + 3;
	plan.batch_ring = std::min(plan.ring, (plan.most_batches + 1) * plan.batch_bytes);
	// The batches under way are what a killed add has read in vain.
	plan.batch_files = std::clamp<std::uint64_t>(settings.performance.checkpoint_interval / (plan.most_batches + 1), 1,
		settings.performance.batch_size);
	return plan;
}

} // namespace dig
