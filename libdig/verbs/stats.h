// Figures of a store: what its states have, what its layer files hold, and what a state alone keeps there.
#ifndef DIG_STATS_H
#define DIG_STATS_H

#include <functional>

#include "libdig/store/store.h"

namespace dig {

// A layer file, or several together.
struct LayerFigures {
	std::uint64_t file_bytes = 0;
	std::uint64_t chunks = 0, chunk_bytes = 0, stored_bytes = 0; // stored: their blocks, compressed
	std::uint64_t nodes = 0, node_bytes = 0;                     // node_bytes: their blocks, compressed

	void add(const LayerFigures &other);
};

// Each layer file with the generations that it has, in order.  Reads the tables of blocks.
void each_layer(Store &store, const std::function<void(const GenerationRange &, const LayerFigures &)> &take);

// States that were not dropped.
struct StateFigures {
	std::uint64_t states = 0, dropped = 0;
	std::uint64_t entries = 0, bytes = 0; // of all states, what they share counted in each

	double deduplication(const LayerFigures &layers) const
	{
		return layers.chunk_bytes > 0 ? static_cast<double>(bytes) / static_cast<double>(layers.chunk_bytes) : 1;
	}
};
StateFigures figures_of_states(Store &store);

// What of the layers no other state needs, and nothing that is staged.  Walks the trees of all states, at most
// 40 MB of memory.  CorruptError when something that a state needs is damaged.
struct AloneFigures {
	std::uint64_t items = 0; // chunks and nodes
	std::uint64_t stored_bytes = 0; // their part of the blocks that they are in
};
AloneFigures figures_of_state_alone(Store &store, std::uint64_t generation);

} // namespace dig

#endif
