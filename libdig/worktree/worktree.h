// Walks a work tree in the order of paths, and tells what is there as work records.
#ifndef DIG_WORKTREE_H
#define DIG_WORKTREE_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/worktree/work_record.h"

namespace dig {

struct WalkOptions {
	bool takes_ignored = false;
};

// Walks what lies at the paths below root (normalised, "" for all of it), each thing once, and calls
// found with the records of work_record.h.  Failures are records, too.  named_ignored gets the paths
// that were asked for by name and are ignored, whether the index has them or not.  Memory does not
// depend on the size of the tree.
void walk_work_tree(const File &root, std::vector<std::string> paths, const WalkOptions &options,
	const std::function<void(const WorkRecord &)> &found, std::vector<std::string> &named_ignored);

} // namespace dig

#endif
