// Finds what a store has lost in directories, other stores and layer files, and stores it again.
#ifndef DIG_HEAL_H
#define DIG_HEAL_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct HealOptions {
	std::vector<std::string> sources; // directories, stores, layer files
	std::function<void(const std::string &what)> healed;
	std::function<void(const std::string &notice)> notice;
	// Stages "check" and "search".
	Work *work = &unseen_work();
};

struct HealResult {
	std::uint64_t lost = 0;  // items that no layer had, as far as they are known
	std::uint64_t found = 0; // of them
};

// Reads all blocks, to learn what is lost.  Layer files that are damaged or gone are made anew from their good
// parts and from what was found; damaged ones stay in dropped/ until the next gc.  Nothing is changed where
// nothing is lost, or nothing was found.  A gc and a repack cannot run meanwhile.
HealResult heal_store(const StorePaths &paths, const HealOptions &options);

} // namespace dig

#endif
