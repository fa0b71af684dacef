#include "libdig/verbs/stats.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"
#include "libdig/verbs/reachability.h"

namespace dig {

void LayerFigures::add(const LayerFigures &other)
{
	file_bytes += other.file_bytes;
	chunks += other.chunks;
	chunk_bytes += other.chunk_bytes;
	stored_bytes += other.stored_bytes;
	nodes += other.nodes;
	node_bytes += other.node_bytes;
}

static LayerFigures figures_of(const Layer &layer)
{
	LayerFigures figures;
	figures.file_bytes = layer.file_size();
	for (std::uint64_t i = 0; i < layer.block_count(); i++) {
		if (i % 4096 == 0)
			check_interrupted();
		const BlockRecord record = layer.block(static_cast<std::uint32_t>(i));
		if (record.kind == static_cast<std::uint8_t>(ItemKind::chunk)) {
			figures.chunks += record.items;
			figures.chunk_bytes += record.raw_size;
			figures.stored_bytes += record.length;
		} else {
			figures.nodes += record.items;
			figures.node_bytes += record.length;
		}
	}
	return figures;
}

void each_layer(Store &store, const std::function<void(const GenerationRange &, const LayerFigures &)> &take)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	const std::uint64_t generations = store.roots().size();
	for (std::uint64_t home = 1; home <= generations; home++) {
		if (table->home(home) != home)
			continue;
		const std::shared_ptr<Layer> layer = store.layer(home);
		take(layer->generations(), figures_of(*layer));
	}
}

StateFigures figures_of_states(Store &store)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	StateFigures figures;
	const std::uint64_t generations = store.roots().size();
	for (std::uint64_t generation = 1; generation <= generations; generation++) {
		check_interrupted();
		if (table->is_dropped(generation)) {
			figures.dropped++;
			continue;
		}
		const LayerHeader header = store.state(generation).header;
		figures.states++;
		figures.entries += header.entries;
		figures.bytes += header.bytes;
	}
	return figures;
}

AloneFigures figures_of_state_alone(Store &store, std::uint64_t generation)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	LiveItems live(store, temporary_directory());
	const std::uint64_t generations = store.roots().size();
	for (std::uint64_t other = 1; other <= generations; other++)
		if (other != generation && !table->is_dropped(other))
			live.exclude_state(other);
	live.exclude_staged(Index::open(store.paths().staging()));
	live.add_state(generation);
	live.locate();
	AloneFigures figures;
	auto spots = live.spots();
	for (std::optional<ItemSpot> spot = spots(); spot;) {
		check_interrupted();
		const std::uint32_t home = spot->generation, block = spot->block;
		std::uint64_t items = 0;
		for (; spot && spot->generation == home && spot->block == block; spot = spots())
			items++;
		const BlockRecord record = store.layer(home)->block(block);
		figures.items += items;
		figures.stored_bytes += record.length * items / std::max<std::uint64_t>(record.items, items);
	}
	return figures;
}

} // namespace dig
