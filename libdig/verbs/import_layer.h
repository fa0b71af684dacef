// Takes states from a layer file that came from elsewhere.
#ifndef DIG_IMPORT_LAYER_H
#define DIG_IMPORT_LAYER_H

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct ImportResult {
	GenerationRange range;
	std::uint64_t size = 0; // of the file
	bool is_known = false;  // the store had these states already, and was not changed
};

// Reads a layer or a merged layer from file, which may be a pipe, into a place where nobody looks; checks every
// byte of it, that its states follow on the newest one, and that all that they need is in it or in the store;
// and makes them the newest states.  A store without any state, and with nothing staged, takes over store id
// and chunking parameters.
//
// CorruptError for a damaged file; Error for one of another store, or if states between are missing;
// NegativeAnswer if the store has other states in their place.  Nothing is changed then.  A process that is
// killed leaves the store as it was, or with all of the states.  Stages "read" and "check"; counts bytes.
ImportResult import_layer(const StorePaths &paths, const File &file, Work &work);
// The same for a layer whose blocks lie elsewhere: its content is compared when it is read.
ImportResult import_lazy_layer(const StorePaths &paths, const File &file, Work &work);

} // namespace dig

#endif
