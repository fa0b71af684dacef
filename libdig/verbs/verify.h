// Whether a store is what its roots say: reads every byte, changes nothing.
#ifndef DIG_VERIFY_H
#define DIG_VERIFY_H

#include <functional>
#include <string>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct VerifyOptions {
	bool is_quick = false; // structure only: no content of blocks
	std::function<void(const std::string &problem)> problem;
	std::function<void(const std::string &notice)> notice; // of what is odd and harmless
	// Stages "check" and "finish"; counts files of all states, and chunks and bytes of blocks.
	Work *work = &unseen_work();
};

// Checks format, store id, roots, tags, layers, the reachability of every state's content, chunk
// index and staging area.  Goes on after damage; returns the number of problems told.
std::uint64_t verify_store(const StorePaths &paths, const VerifyOptions &options);

} // namespace dig

#endif
