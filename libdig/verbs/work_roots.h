// File roots of files of the work tree that are only looked at: read by all workers, and stored nowhere.
#ifndef DIG_WORK_ROOTS_H
#define DIG_WORK_ROOTS_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/store/store.h"

namespace dig {

struct WorkRoot {
	std::optional<FileStat> stat; // nothing if it is not there
	std::optional<Digest> root;   // nothing unless it is a file or a symlink that could be read
	std::string error;            // why it could not be
};

// What each of the paths has, at the same place.  Symbolic links are read, and never followed.  top is the
// work tree.
std::vector<WorkRoot> read_work_roots(Store &store, const File &top, const std::vector<std::string> &paths);

} // namespace dig

#endif
