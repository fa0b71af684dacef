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
	// In place of problem, for a path whose content is damaged in states that follow each other.
	struct HurtPath {
		const std::string &path;
		std::uint64_t first, last;
		const std::string &why;
	};
	std::function<void(const HurtPath &hurt)> hurt;
	// What this user may not read, and nobody can tell anything of.
	std::function<void(const std::string &what)> unreadable;
	// Stages "check" and "finish"; counts files of all states, and chunks and bytes of blocks.
	Work *work = &unseen_work();
};

struct VerifyResult {
	std::uint64_t problems = 0;
	std::uint64_t unreadable = 0;    // what this user may not read; no problem
	std::uint64_t healed_blocks = 0; // damaged, and whole in another place
	// Paths whose content is damaged, each counted once for all the states that have it so, and the
	// generations of these states.
	std::uint64_t hurt_files = 0, first_hurt = 0, last_hurt = 0;
};

// Checks format, store id, roots, tags, layers, the reachability of every state's content, chunk
// index and staging area.  Goes on after damage.  A damaged block is a notice where each of its
// items that is damaged has a good copy in another place.
VerifyResult verify_store(const StorePaths &paths, const VerifyOptions &options);

} // namespace dig

#endif
