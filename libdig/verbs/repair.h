// Makes anew what a store can do without: files that follow from its layers.
#ifndef DIG_REPAIR_H
#define DIG_REPAIR_H

#include <functional>
#include <string>

#include "libdig/store/store_paths.h"

namespace dig {

struct RepairOptions {
	std::function<void(const std::string &what)> repaired;
	std::function<void(const std::string &notice)> notice; // of what was left alone
};

// Under the lock of the store: makes 'store-id', 'roots' and runs of the chunk index anew where they are
// damaged or gone.  A damaged 'roots' is kept under another name.  Deletes nothing but damaged runs,
// and does not touch a store that is whole.  CorruptError where the layers that are there are not
// enough to tell the roots; then 'roots' is as it was.
void repair_store(const StorePaths &paths, const RepairOptions &options);

} // namespace dig

#endif
