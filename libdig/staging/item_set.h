// Which chunks and nodes a writer knows of, in bounded memory.
#ifndef DIG_ITEM_SET_H
#define DIG_ITEM_SET_H

#include <memory>
#include <mutex>

#include "libdig/format/chunk_run.h"

namespace dig {

// A set of items in at most 8 MiB; what does not fit lies in sorted runs on disk, behind a filter.
class ItemSet {
public:
	explicit ItemSet(std::string directory);
	~ItemSet();

	// True when the item was not in the set.  Any thread.
	bool insert(ItemKind kind, const Digest &digest);
	bool contains(ItemKind kind, const Digest &digest);
	// Any thread.
	void clear();

private:
	struct Table;
	std::mutex mutex_;
	std::string directory_;
	std::unique_ptr<Table> table_;
};

} // namespace dig

#endif
