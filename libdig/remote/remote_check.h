// Whether a place can be a remote.
#ifndef DIG_REMOTE_CHECK_H
#define DIG_REMOTE_CHECK_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libdig/remote/remote_objects.h"

namespace dig {

struct RemoteVerdict {
	std::string can;                 // what the helper says
	std::vector<std::string> faults; // empty: it can
};

// Eight writers race for one object, which exactly one may make; a part of it is read, and it is listed and
// removed.  A test one after the other is not enough: there are places that pass it, and let two racers win.
RemoteVerdict check_remote(const std::function<std::unique_ptr<RemoteObjects>()> &start);

} // namespace dig

#endif
