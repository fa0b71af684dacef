// The index follows the states: where a commit came from another staging area, or a store was put back
// from an older copy, it mirrors another state than the newest one.
#ifndef DIG_RECONCILE_H
#define DIG_RECONCILE_H

#include "libdig/staging/staging.h"

namespace dig {

// Brings the records that are not staged up to the newest state, as after a commit from another
// staging area, or where there is no index yet.  For readers: what the index would be.
void reconcile_index(Store &store, StagingWriter &writer);

} // namespace dig

#endif
