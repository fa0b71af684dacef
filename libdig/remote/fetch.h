// States of a remote become states of this store.
#ifndef DIG_FETCH_H
#define DIG_FETCH_H

#include "libdig/format/layer_table.h"
#include "libdig/remote/connections.h"
#include "libdig/remote/remote_layout.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct FetchOptions {
	bool is_plan = false; // only tells what it would cost
	bool is_lazy = false; // content stays where it is, and comes when it is asked for
	std::uint64_t known = 0; // a state that the remote is known to have, or 0; it saves requests
	Connections::Start start; // further connections, for many records; may be empty
	Work *work = &unseen_work();
};

struct FetchResult {
	GenerationRange range{};  // of the new states; first is 0 if there is none
	std::uint64_t bytes = 0;  // of packs that came, or would come, now
	std::uint64_t elsewhere = 0; // bytes of packs that stay in the remote
	std::uint64_t kept = 0;   // bytes that an earlier fetch had brought already
	std::uint64_t newest = 0; // generation of the remote
};

// Brings the states that the remote has after the newest one here.  What comes lies in tmp/ until all of it is
// there and was compared with its digests; an interrupted fetch goes on with it.  A store without any state
// becomes the store that the remote has.  NegativeAnswer if both have gone on from a common state.  Stages
// "fetch", "read" and "check"; counts bytes.
FetchResult fetch_states(const StorePaths &paths, RemoteObjects &objects, const FetchOptions &options);

} // namespace dig

#endif
