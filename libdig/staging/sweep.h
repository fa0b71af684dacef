// What was staged and dropped again leaves the pack before it becomes a layer.
//
// Needed is what staged entries name: a chunk, or a chunk list's nodes and their chunks.  What a
// node that is not in the pack refers to is in older layers.  No node may outlive a chunk or node
// that it names, since whoever finds a node relies on all below it.  So a block of nodes that are
// not all needed goes, and those that are needed are copied; a block of chunks is copied when
// less than half of them are needed, and else kept as it is.
#ifndef DIG_SWEEP_H
#define DIG_SWEEP_H

#include "libdig/staging/staging.h"

namespace dig {

// index is what writer, which is alone, has found there.
void sweep_pack(StagingWriter &writer, const Index &index);

} // namespace dig

#endif
