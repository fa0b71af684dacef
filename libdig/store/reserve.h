// A file that takes space, so that a store on a full disk can still be made smaller.
#ifndef DIG_RESERVE_H
#define DIG_RESERVE_H

#include <functional>

#include "libdig/base/error.h"
#include "libdig/store/store_paths.h"

namespace dig {

// Makes the file if it is not there; does nothing where there is no room for it.
void keep_reserve(const StorePaths &paths);

// Does action.  Where it fails because the disk is full, gives the file up, and does action once more, which
// therefore must be repeatable.
void with_reserve(const StorePaths &paths, const std::function<void()> &action);

// Whether this is the failure of a disk, or of a quota, that is full.
bool is_out_of_room(const SystemError &error);

} // namespace dig

#endif
