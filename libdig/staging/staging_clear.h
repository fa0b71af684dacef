// What ends a staging area: its content was committed, or is given up.
#ifndef DIG_STAGING_CLEAR_H
#define DIG_STAGING_CLEAR_H

#include "libdig/store/store.h"

namespace dig {

// After a layer was made a generation: what was staged is committed.  Does nothing when staging has
// no note of that layer.  One sync, and one more where something is carried on.  Under the store's
// lock; the second one under the staging lock, too.
void clear_staging(Store &store, const Digest &layer_id);
void clear_staging_locked(Store &store, const Digest &layer_id);

// Gives up everything that is staged, damaged or not.
void discard_staging(Store &store);

} // namespace dig

#endif
