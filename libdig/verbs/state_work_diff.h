// What differs between any state and the work tree.
//
// A path can only differ if the work tree is not as the index says, or the index is not as the state.  Both
// are found without reading content: by stat, and by comparing trees from the top.  Of these paths, content
// is read only where size and kind are those of the state, and the index does not know it.
#ifndef DIG_STATE_WORK_DIFF_H
#define DIG_STATE_WORK_DIFF_H

#include <functional>

#include "libdig/verbs/work_diff.h"

namespace dig {

struct StateWorkDiff {
	// In the order of paths.  before is null for what the state lacks, after for what the work tree lacks.
	// Where only the content of after was not needed, its file root is zeros.
	std::function<void(const Entry *before, const Entry *after)> differs;
	// A path of the work tree that could not be looked at.
	std::function<void(const std::string &path, const std::string &why)> failed;
};

// At and below the paths (normalised; none for all).  Files that neither the state nor the index has are
// passed over, and so is what never had a file in the work tree.  Bounded memory.
void diff_state_and_work(Store &store, const TreeRoot &state, const std::vector<std::string> &paths,
	const StateWorkDiff &take);

} // namespace dig

#endif
