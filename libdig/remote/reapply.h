// This store and a remote have both gone on from a common state.
#ifndef DIG_REAPPLY_H
#define DIG_REAPPLY_H

#include "libdig/format/layer_table.h"
#include "libdig/remote/remote_layout.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// Thrown where a remote has another state in the place of one of this store.
class PartedHistories : public NegativeAnswer {
public:
	// newest is the last state of the remote that was seen.
	PartedHistories(std::uint64_t generation, std::uint64_t newest)
		: NegativeAnswer("the remote has another @" + std::to_string(generation) +
			" than this store: both have gone on from a common state"), newest_(newest)
	{
	}
	std::uint64_t newest() const { return newest_; }

private:
	std::uint64_t newest_;
};

struct ReapplyResult {
	GenerationRange theirs{}; // that came; first is 0 if the remote has nothing that this store has not
	GenerationRange mine{};   // what the states that the remote lacks are now
	std::uint64_t bytes = 0;  // that came
	std::vector<Digest> nodes; // of the own manifests, that the states of the remote do not have
};

// The states of the remote after the common one come, and what the own states after it have changed is made
// anew over them, each as a state with its author, time and message.  NegativeAnswer if both have changed a
// path, with its name; nothing is changed then.  Own states have other numbers and roots afterwards.  A process
// that is killed leaves the old history or the new one.  Error if own states were merged or dropped before they
// were pushed, or if somebody commits meanwhile.  newest is the last state of the remote that is to come, or 0 for
// all that there are; it saves a request.
ReapplyResult reapply_states(const StorePaths &paths, RemoteStore &remote, std::uint64_t newest, Work &work);

} // namespace dig

#endif
