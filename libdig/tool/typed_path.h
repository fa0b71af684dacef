// Paths as a person types and reads them, relative to the current directory.
#ifndef DIG_TYPED_PATH_H
#define DIG_TYPED_PATH_H

#include <string>
#include <string_view>

#include "libdig/store/store.h"

namespace dig {

// The stored path for a path that is typed in the current directory; it is "" for the work tree
// itself.  A path that leads out of the work tree is an Error.  A path may lead into the work tree
// through symbolic links outside of it.
std::string stored_path(const StorePaths &paths, const std::string &typed);

// A stored path relative to directory, which is a stored path too: "../b/c".
std::string relative_path(std::string_view path, std::string_view directory);
// A message that quotes the path, with the path replaced by the relative one.
std::string relative_message(std::string message, std::string_view path, std::string_view directory);

} // namespace dig

#endif
