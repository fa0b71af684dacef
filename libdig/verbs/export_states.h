// States in one file that is carried elsewhere: a merged layer.
#ifndef DIG_EXPORT_STATES_H
#define DIG_EXPORT_STATES_H

#include <functional>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct ExportResult {
	std::uint64_t size = 0;  // of the file
	std::uint64_t items = 0; // chunks and nodes
	Digest pack_id;
};

// Appends a merged layer with the states of the range to file, which must be empty: what they say of
// themselves, and all of their content that the state before the range has not.  Each item is compared
// with its digest.  States that were dropped are listed as dropped.  CorruptError where content is damaged
// in all copies; DroppedState where the state before the range was dropped.  Stage "export"; counts bytes of
// blocks.  Takes about 70 MiB at most.
ExportResult export_states(Store &store, const File &file, const GenerationRange &range, Work &work);
class LayerMerger;
// The same content goes into a file that is being made.  gc and repack must not run.
void put_content(Store &store, const GenerationRange &range, LayerMerger &merger);

// The same content as packs, which say nothing of the states: each ends when it has this size, or a block more.
// take gets them one after the other, in a file without a name.  The packs are the same each time, as long as
// the layer files of the store are.
using TakePack = std::function<void(const File &file, const ExportResult &pack)>;
void export_packs(Store &store, const GenerationRange &range, std::uint64_t size, Work &work, const TakePack &take);
// A pack of nothing but these nodes.
void export_nodes(Store &store, const std::vector<Digest> &nodes, Work &work, const TakePack &take);

} // namespace dig

#endif
