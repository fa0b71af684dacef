// A layer file without blocks: what a store has of states whose content stays in the remote.
#ifndef DIG_LAZY_LAYER_H
#define DIG_LAZY_LAYER_H

#include <functional>
#include <string>

#include "libdig/format/layer_table.h"
#include "libdig/remote/remote_layout.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct LazyStates {
	GenerationRange range;
	std::function<LayerState(std::uint64_t generation)> state;
	std::vector<GenerationRange> dropped;
	ChunkingParameters chunking;
};

// Writes a merged layer into file, which must be empty.  Of each pack, block table and chunk index come, and are
// compared with its id; of its blocks none.  directory has room for these tables.  Counts bytes.
void write_lazy_layer(const File &file, const LazyStates &states, const std::vector<RootRecord::Pack> &packs,
	RemoteObjects &objects, const std::string &directory, Work &work);

} // namespace dig

#endif
