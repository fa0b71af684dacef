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

static MergeOptions options_for(const Store &store, Work &work)
{
	const BlockCompression compression = late_compression_of(store.settings());
	MergeOptions merge;
	merge.least_live = 1;
	merge.codec = compression.codec;
	merge.level = compression.level;
	merge.directory = temporary_directory();
	merge.work = &work;
	return merge;
}

// The content of states.
class Selection {
public:
	Selection(Store &store, const GenerationRange &range)
		: store_(store), directory_(temporary_directory()), live_(store, directory_)
	{
		if (range.first > 1)
			live_.exclude_state(range.first - 1);
		for (std::uint64_t i = range.first; i <= range.last; i++)
			if (!store.layer_table()->is_dropped(i))
				live_.add_state(i);
		live_.locate();
	}

	using TakeBlock = std::function<void(const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items)>;
	void each_block(const TakeBlock &take)
	{
		auto spots = live_.spots();
		std::vector<std::uint16_t> items;
		for (std::optional<ItemSpot> spot = spots(); spot;) {
			const std::uint32_t home = spot->generation, block = spot->block;
			for (items.clear(); spot && spot->generation == home && spot->block == block; spot = spots())
				items.push_back(spot->item);
			take(store_.layer(home), block, items);
		}
	}

private:
	Store &store_;
	std::string directory_;
	LiveItems live_;
};

void put_content(Store &store, const GenerationRange &range, LayerMerger &merger)
{
	Selection(store, range).each_block([&](const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items) { merger.take(layer, block, items); });
}

ExportResult export_states(Store &store, const File &file, const GenerationRange &range, Work &work)
{
	const std::optional<Lock> lock = keep_from_moving(store.paths());
	store.refresh();
	work.begin_stage("export");
	Selection selection(store, range);
	MergeOptions merge = options_for(store, work);
	merge.chunking = store.chunking();
	LayerMerger merger(store, file, range, merge);
	selection.each_block([&](const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items) { merger.take(layer, block, items); });
	// Any file that a store makes of its own is newer than epoch 0.
	const LayerMerger::Result made = merger.finish(dropped_within(*store.layer_table(), range), 0);
	return {made.size, made.items, made.pack_id};
}

void export_packs(Store &store, const GenerationRange &range, std::uint64_t size, Work &work, const TakePack &take)
{
	const std::optional<Lock> lock = keep_from_moving(store.paths());
	store.refresh();
	work.begin_stage("export");
	Selection selection(store, range);
	MergeOptions merge = options_for(store, work);
	merge.is_pack = true;
	File file;
	std::optional<LayerMerger> merger;
	std::uint64_t taken = 0;
	const auto finish = [&] {
		if (!merger)
			return;
		const LayerMerger::Result made = merger->finish({}, 0);
		merger.reset();
		take(file, {made.size, made.items, made.pack_id});
		taken = 0;
	};
	selection.each_block([&](const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items) {
		if (!merger) {
			file = File::temporary_in(temporary_directory());
			merger.emplace(store, file, range, merge);
		}
		const BlockRecord record = layer->block(block);
		taken += record.length * items.size() / std::max<std::size_t>(record.items, items.size());
		merger->take(layer, block, items);
		if (taken >= size)
			finish();
	});
	finish();
}

void export_nodes(Store &store, const std::vector<Digest> &nodes, Work &work, const TakePack &take)
{
	MergeOptions merge = options_for(store, work);
	merge.is_pack = true;
	const File file = File::temporary_in(temporary_directory());
	LayerMerger merger(store, file, {}, merge);
	for (const Digest &id : nodes)
		merger.add(ItemKind::node, id, store.read_item(ItemKind::node, id));
	const LayerMerger::Result made = merger.finish({}, 0);
	take(file, {made.size, made.items, made.pack_id});
}

} // namespace dig
