// What the states need is found as gc finds it (reachability), and the state before the range is taken off.
// Blocks that are needed as a whole are copied as they are stored; of others, what is needed is put together
// anew, so that nothing leaves the store that was not asked for.
#include "libdig/verbs/export_states.h"

#include <algorithm>

#include "libdig/os/environment.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/verbs/layer_merger.h"

namespace dig {

// gc and repack would move what is being read.
static std::optional<Lock> keep_from_moving(const StorePaths &paths)
{
	try {
		return Lock::acquire(paths.gc_lock());
	} catch (const SystemError &) {
		// A store that cannot be written is not moved either.
		return {};
	}
}

static void take_blocks(Store &store, LiveItems &live, LayerMerger &merger)
{
	auto spots = live.spots();
	std::vector<std::uint16_t> items;
	for (std::optional<ItemSpot> spot = spots(); spot;) {
		const std::uint32_t home = spot->generation, block = spot->block;
		for (items.clear(); spot && spot->generation == home && spot->block == block; spot = spots())
			items.push_back(spot->item);
		merger.take(store.layer(home), block, items);
	}
}

static std::vector<GenerationRange> dropped_within(const LayerTable &table, const GenerationRange &range)
{
	std::vector<GenerationRange> within;
	for (const GenerationRange &dropped : table.dropped()) {
		const GenerationRange part{std::max(dropped.first, range.first), std::min(dropped.last, range.last)};
		if (part.first <= part.last)
			within.push_back(part);
	}
	return within;
}

ExportResult export_states(Store &store, const File &file, const GenerationRange &range, Work &work)
{
	const std::optional<Lock> lock = keep_from_moving(store.paths());
	store.refresh();
	work.begin_stage("export");
	const std::string directory = temporary_directory();
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	LiveItems live(store, directory);
	if (range.first > 1)
		live.exclude_state(range.first - 1);
	for (std::uint64_t i = range.first; i <= range.last; i++)
		if (!table->is_dropped(i))
			live.add_state(i);
	live.locate();
	const BlockCompression compression = late_compression_of(store.settings());
	MergeOptions merge;
	merge.least_live = 1;
	merge.codec = compression.codec;
	merge.level = compression.level;
	merge.chunking = store.chunking();
	merge.directory = directory;
	merge.work = &work;
	LayerMerger merger(store, file, range, merge);
	take_blocks(store, live, merger);
	// Any file that a store makes of its own is newer.
	const LayerMerger::Result made = merger.finish(dropped_within(*table, range), 0);
	return {made.size, made.items};
}

} // namespace dig
