// What is staged goes out of the staging area again.
#ifndef DIG_UNSTAGE_H
#define DIG_UNSTAGE_H

#include <string>
#include <vector>

#include "libdig/store/store.h"

namespace dig {

// Puts what is staged within the paths back to the newest state; without paths, all that is staged.
// Returns the number of paths that were put back.  Content that nobody needs any more leaves the pack.
std::uint64_t unstage(Store &store, const std::vector<std::string> &paths);

} // namespace dig

#endif
