// For a path that was typed: whether anything has that path, and if not, which path may be meant.
#ifndef DIG_NEAR_PATHS_H
#define DIG_NEAR_PATHS_H

#include <string>

#include "libdig/staging/index.h"
#include "libdig/store/store.h"

namespace dig {

// Whether there is an entry at the path or below it.  In the index, entries that are removed do not
// count.
bool has_path(const Index &index, const std::string &path);
bool has_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path);

// "; did you mean 'X'?", or an empty text.  Of a directory with very many names, only the first ones
// are compared.
std::string did_you_mean_path(const Index &index, const std::string &path);
std::string did_you_mean_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path);
// In the work tree, whose directory is root.
std::string did_you_mean_path(const File &root, const std::string &path);

// Whether the path is in the work tree, the index or the newest state.
bool has_path_anywhere(Store &store, const Index &index, const std::string &path);
// Error (128) for the first of the paths that is nowhere.  The message has it as it was typed, which is
// the text at the same place in typed.
void check_paths_exist(Store &store, const Index &index, const std::vector<std::string> &paths,
	const std::vector<std::string> &typed);

} // namespace dig

#endif
