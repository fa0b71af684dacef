// States of this store become states of a remote.
#ifndef DIG_PUSH_H
#define DIG_PUSH_H

#include "libdig/format/layer_table.h"
#include "libdig/remote/remote_layout.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct PushResult {
	GenerationRange range{}; // that the remote did not have; first is 0 if there was none
	std::uint64_t bytes = 0; // of packs that were sent
	std::uint64_t newest = 0; // generation
};

// Sends what the remote does not have: packs of content first, then a record for each state, which is the moment
// that counts.  known is a state that the remote is known to have, or 0; it saves requests.  NegativeAnswer if the
// remote has states that this store does not have; nothing is sent then.  Whatever was sent before an
// interruption is not sent again.  Stages "export" and "send"; counts bytes.
PushResult push_states(Store &store, RemoteObjects &objects, std::uint64_t known, Work &work);

} // namespace dig

#endif
