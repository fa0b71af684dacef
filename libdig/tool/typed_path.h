// Paths as a person types and sees them, from where that person is.
#ifndef DIG_TYPED_PATH_H
#define DIG_TYPED_PATH_H

#include <string>
#include <string_view>

#include "libdig/store/store.h"

namespace dig {

// A path as it is typed in the current directory, as a stored path ("" for the work tree itself);
// Error for one that leads out.  Whatever its text says, it may lead in through symbolic links that
// lie outside of the work tree.
std::string stored_path(const StorePaths &paths, const std::string &typed);

// A stored path as seen from directory, a stored path too: "../b/c".
std::string relative_path(std::string_view path, std::string_view directory);
// A message that quotes the path, with the path as relative_path() has it.
std::string relative_message(std::string message, std::string_view path, std::string_view directory);

} // namespace dig

#endif
