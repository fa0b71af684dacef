// Whether a path that was typed names anything, and which one it may have meant if not.
#ifndef DIG_NEAR_PATHS_H
#define DIG_NEAR_PATHS_H

#include <string>

#include "libdig/staging/index.h"
#include "libdig/store/store.h"

namespace dig {

// The path itself, or anything below it.  The index: what is not removed.
bool has_path(const Index &index, const std::string &path);
bool has_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path);

// "; did you mean 'X'?", or nothing.  Directories with very many names are not looked through to
// their end.
std::string did_you_mean_path(const Index &index, const std::string &path);
std::string did_you_mean_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path);
// In the work tree.
std::string did_you_mean_path(const File &root, const std::string &path);

// In the work tree, the index or the newest state.
bool has_path_anywhere(Store &store, const Index &index, const std::string &path);
// Error (128) for the first path that is nowhere, as it was typed.
void check_paths_exist(Store &store, const Index &index, const std::vector<std::string> &paths,
	const std::vector<std::string> &typed);

} // namespace dig

#endif
