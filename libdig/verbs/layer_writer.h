// From the pack and its journal to a layer that is in its place.
#ifndef DIG_LAYER_WRITER_H
#define DIG_LAYER_WRITER_H

#include "libdig/staging/staging.h"
#include "libdig/watch/metrics.h"

namespace dig {

// What a layer says besides what is in the pack.
struct LayerText {
	const LayerHeader &header;
	std::string_view author, message;
	const MerklePeaks &peaks; // of the layers before it
	bool is_full;             // it holds all of the state
	std::uint64_t sequence;   // records of the index up to it are in the layer
};

// Reads what is to be published again, as Design says, writes the sections of the layer behind the last
// block, and renames the pack to the layer.  Three syncs, and one where something was dropped.  Sets
// what work counts of chunks to what the layer has.  Returns the layer's id.
// CorruptError when the pack is not what the journal says; nothing is sealed then.
Digest publish_layer(StagingWriter &staging, const LayerText &text, Work &work);

} // namespace dig

#endif
