// Whether a store is what its roots say: reads every byte.
#ifndef DIG_VERIFY_H
#define DIG_VERIFY_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/store/evidence.h"
#include "libdig/store/store.h"
#include "libdig/verbs/hurt_paths.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct VerifyOptions {
	bool is_quick = false; // structure only: no content of blocks
	// The content of files that have a block tree is read once more, in its order, and compared with it.
	bool compares_block_trees = false;
	// Looks first at what was verified the longest time ago, or never, and ends at this time of clock_ns(),
	// with what it saw noted as evidence.  0: looks at everything.
	std::int64_t deadline_ns = 0;
	std::function<void(const std::string &problem)> problem;
	std::function<void(const std::string &notice)> notice; // of what is odd and harmless
	// A block that is damaged: in place of problem, or of notice if it is healed.
	struct DamagedBlock {
		const std::string &layer; // the file
		std::uint32_t block;
		const std::vector<std::string> &items; // "chunk 0123…", those that are damaged
		bool is_healed;                       // all of them are whole in another place
		const std::string &why;
	};
	std::function<void(const DamagedBlock &damaged)> damaged;
	// In place of problem, for a path whose content is damaged in states that follow each other.
	std::function<void(const HurtPaths::Told &hurt)> hurt;
	// What this user may not read, and nobody can tell anything of.
	std::function<void(const std::string &what)> unreadable;
	// Stages "check" and "finish"; counts files of all states, and chunks and bytes of blocks.
	Work *work = &unseen_work();
};

struct VerifyResult {
	std::uint64_t problems = 0;
	std::uint64_t unreadable = 0;    // what this user may not read; no problem
	std::uint64_t damaged_blocks = 0; // that are not healed; each is a problem, too
	std::uint64_t healed_blocks = 0; // damaged, and whole in another place
	// Paths whose content is damaged, each counted once for all the states that have it so, and the
	// generations of these states.
	std::uint64_t hurt_files = 0, first_hurt = 0, last_hurt = 0;
	std::optional<Evidence::Summary> evidence; // if it is kept
};

// Checks format, store id, roots, tags, layers, the reachability of every state's content, chunk
// index and staging area.  Goes on after damage.  A damaged block is a notice where each of its
// items that is damaged has a good copy in another place.  Writes nothing but evidence: with a deadline,
// or if there is some already and the check is not quick.
VerifyResult verify_store(const StorePaths &paths, const VerifyOptions &options);

} // namespace dig

#endif
