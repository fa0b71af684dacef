// max_memory_usage is divided once, when an ingest begins.  First comes what the process needs
// anyway.  The ring has the rest, as long as nothing is compressed.  Compressors and their results may
// take up to half of it, and the ring is smaller by what they have taken.  So random bytes, which are
// not compressed, have all of the memory, and so has each chunk of a large file that waits for others.
//
// The number of workers is not a question of memory: a worker has nothing but its stack.  With more
// of them, segments, units and batches are smaller, so that the ring has something for each.  Small
// units cost more: fewer chunks are hashed side by side, and small files share smaller blocks.
#include "libdig/ingest/ingest_plan.h"

#include <algorithm>

#include "libdig/ingest/compressor_pool.h"
#include "libdig/os/machine.h"

namespace dig {

constexpr std::uint64_t small_file_limit = 128_KiB;
constexpr std::uint64_t usual_batch = 1536_KiB, least_batch = 256_KiB;
constexpr std::uint64_t usual_segment = 4_MiB, least_segment = 512_KiB;
constexpr std::uint64_t most_hashed = 16_MiB; // with chunks of 2 MiB, all lanes have something to the end
constexpr std::uint64_t window_room = 64; // readable bytes before the first one scanned
// Memory for all but this: the set of staged items, the spool of the index, filters.
constexpr std::uint64_t fixed_memory = 18_MiB;
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

	// The headroom is as large as the largest chunk, and a chunk that lies there is hardly ever that large.
	plan.headroom = largest + window_room;
	const std::uint64_t left = free > largest / 2 ? free - largest / 2 : 0;
	const bool compresses = stores_content && settings.core.compression != Compression::none;
	if (compresses) {
		// Two in any case: at high levels a compressor is nearly all that an add waits for.
		plan.compressors = std::clamp<std::uint64_t>(left / 6 / CompressorPool::compressor_memory(settings),
			std::min<std::size_t>(plan.workers, 2), plan.workers);
		// At low levels a worker compresses for about half of its time.
		const bool is_fast = CompressorPool::compressor_memory(settings) <= 1_MiB;
		plan.most_compressing = plan.compressors * (is_fast ? 2 : 1);
		plan.room = std::clamp<std::uint64_t>(left / 3, 1_MiB, plan.compressors * 2_MiB);
	}
	if (!compresses)
		plan.most_compressing = plan.workers;
	plan.shared = left;
	plan.segment = std::clamp(power_of_two_below(left / (plan.workers + 2) / 3), least_segment, usual_segment);
	// More would not be used by few workers.
	plan.ring = std::clamp(left, 2 * least_segment, (2 * plan.workers + 4) * usual_segment + largest);
	plan.least_ring_size = std::clamp<std::uint64_t>(left / 2, 2 * least_segment, plan.ring);
	plan.unit = std::clamp<std::uint64_t>(plan.least_ring_size / (4 * plan.workers), least_segment, plan.segment);
	plan.most_hashed = most_hashed;
	plan.most_batches = plan.workers + 3;
	// The batches under way are what a killed add has read in vain, and an eighth waits for what others need.
	const std::uint64_t interval = settings.performance.checkpoint_interval;
	plan.most_batch_files = std::max<std::uint64_t>(interval - interval / 8, 1);
	const auto batch_for = [&](std::size_t workers) -> IngestPlan::Batch {
		return {std::clamp(plan.least_ring_size / (2 * workers + 2), least_batch, usual_batch),
			std::clamp<std::uint64_t>(plan.most_batch_files / (workers + 4), 1, settings.performance.batch_size)};
	};
	const std::size_t in_turns = std::min(plan.workers, usable_cores());
	plan.batch = batch_for(plan.workers);
	plan.batch_in_turns = batch_for(in_turns);
	plan.batch_ring = std::min<std::uint64_t>(plan.ring,
		std::max((plan.workers + 4) * plan.batch.bytes, (in_turns + 4) * plan.batch_in_turns.bytes));
	return plan;
}

// A worker on a large file needs room for what it works on, for what is read meanwhile, and for what is
// done and waits for its turn.  With look-ups that sleep (slow-ingest), from 16 to 160 MB and with chunks
// of 512 KiB and of 2 MiB, that were two and a half chunks.
std::size_t IngestPlan::carried(std::uint64_t target) const
{
	std::uint64_t count = std::min<std::uint64_t>(batch_ring / batch.bytes, most_compressing);
	if (target > 0) {
		const std::uint64_t room = std::max(ring, least_ring(limits_for_target(target).maximum));
		count = std::min(count, room * 2 / (5 * std::max(target, least_segment)));
	}
	return std::clamp<std::uint64_t>(count, 1, workers);
}

} // namespace dig
