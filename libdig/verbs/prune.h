// Drops states, and takes what only they need out of the layers.
#ifndef DIG_PRUNE_H
#define DIG_PRUNE_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// What becomes of a layer file, or what is made of several.
struct PruneStep {
	enum class Fate : std::uint8_t { kept, copied, dropped, made };
	Fate fate;
	GenerationRange range;
	std::uint64_t size = 0; // bytes of the file
	std::uint64_t live = 0; // of its blocks, about; of a file that is kept or copied
};

// By generation, see kept_states(); called once the lock of gc is held.
using ChooseStates = std::function<std::vector<bool>(Store &)>;

struct PruneOptions {
	bool is_dry = false;    // reads all that the run would read, and changes nothing
	bool is_final = false;  // what is dropped is removed at once, and cannot be brought back
	std::int64_t deadline_ns = 0; // of clock_ns(); 0: none
	std::function<void(const PruneStep &)> step;
	std::function<void(const std::string &)> notice;
	// Stages "reach" and "copy".
	Work *work = &unseen_work();
};

struct PruneResult {
	std::uint64_t states_dropped = 0, states_kept = 0; // in this run; altogether
	std::uint64_t layers_before = 0, layers_after = 0;
	std::uint64_t size_before = 0, size_after = 0; // bytes of layer files
	bool is_finished = true;                       // false where time ran out
	std::uint64_t restorable = 0;                  // bytes that the next gc removes
};

// One gc at a time; takes the store's lock only for moments, so that adds and commits go on.  States
// that come meanwhile are kept.  At most 64 MB of memory.  CorruptError when something that is needed is
// damaged; what was dropped by then stays dropped, and nothing that is kept has changed.
PruneResult prune_store(const StorePaths &paths, const PruneOptions &options, const ChooseStates &choose);

// Brings back what the last gc has dropped.  Error when there is nothing, or when it was repacked since.
// The number of states that are there again.
std::uint64_t undo_prune(const StorePaths &paths);

} // namespace dig

#endif
