// From the staging area to a layer, and from a layer to a root.
#ifndef DIG_COMMIT_H
#define DIG_COMMIT_H

#include "libdig/verbs/stage.h"

namespace dig {

struct CommitOptions {
	std::string message;
	bool is_full = false;     // the layer holds all of the state
	bool allows_empty = false;
	// Stages "references", "manifest", "copy" and "publish"; at the end it counts what the state
	// got from the staging area, and what the layer holds.
	Work *work = &unseen_work();
};

// The author of commits: DIG_AUTHOR, core.author, user@host.
// The time: DIG_COMMIT_TIME or SOURCE_DATE_EPOCH, else now.  Seconds.
std::int64_t commit_time();

// Seals what is staged into a layer over the newest state.  Under the store's lock.
// NegativeAnswer when nothing is staged.  Content staged by reference is read now and verified;
// a file that does not match is named, and nothing is sealed.  3 syncs, and up
// to 3 more where something was dropped.
Digest write_layer(Store &store, const CommitOptions &options);

// Makes the layer the newest state and returns its root; 3 syncs, and one more where failures
// or unfinished files are carried on.  Under the store's lock.
// NegativeAnswer when old_root (zeros for none) is given and is not the newest.
Digest update_root(Store &store, const Digest &layer_id, const std::optional<Digest> &old_root);

} // namespace dig

#endif
