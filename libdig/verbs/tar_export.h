// A state, or paths of it, as a tar archive: written front to back in constant memory.
//
// Members come in the order of paths.  There is one for each entry, so directories that are not empty have
// none; what extracts the archive makes them.  Files with long runs of zeros are written as sparse ones.
#ifndef DIG_TAR_EXPORT_H
#define DIG_TAR_EXPORT_H

#include <functional>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct TarExportOptions {
	std::vector<std::string> paths; // empty for all of the state
	std::string state = "the state"; // what messages call it
	std::int64_t time_ns = 0;       // of entries that have no time
	Work *work = &unseen_work();     // stages "check" and "read"
};

// Hands the bytes of the archive to write, in order; by any thread, one at a time.  All paths are checked
// before the first byte.  Where content cannot be read, an Error ends it, and the archive has no end mark.
// Returns how many entries could not be written, since this dig does not know their kind.
std::uint64_t export_tar(Store &store, const TreeRoot &manifest, const TarExportOptions &options,
	const std::function<void(Bytes)> &write);

} // namespace dig

#endif
