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
	std::uint64_t newest = 0; // generation of the remote
	std::uint64_t common = 0; // newest generation that both have
};

struct PushStart {
	std::uint64_t known = 0; // a state that the remote is known to have, or 0; it saves requests
	bool is_newest = false;  // it was the newest one a moment ago
	// Of a push that lost a race: what it has sent, of how many states, and the nodes that were made anew.
	std::vector<RootRecord::Pack> packs;
	std::uint64_t states = 0;
	std::vector<Digest> nodes;
};

// Sends what the remote does not have: packs of content first, then a record for each state, which is the moment
// that counts.  start gets the packs with content.  The remote may be ahead: then there is nothing to send.
// NegativeAnswer if there is no state yet.  Whatever was sent before an interruption is not sent again.  Stages
// "export" and "send"; counts bytes.
PushResult push_states(Store &store, RemoteStore &remote, PushStart &start, Work &work);

} // namespace dig

#endif
