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

// Walks what lies at the paths below root (normalised, "" for all of it), each thing once.
// Failures are records, too.  named_ignored collects paths that were asked for by name and are
// ignored, whether they are in the index or not.
void walk_work_tree(const File &root, std::vector<std::string> paths, const WalkOptions &options,
	const std::function<void(const WorkRecord &)> &found, std::vector<std::string> &named_ignored);

} // namespace dig

#endif
