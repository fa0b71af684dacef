// The tree of the newest state, or what is known of it where it is damaged or lost.
#ifndef DIG_LAST_TREE_H
#define DIG_LAST_TREE_H

#include <functional>
#include <optional>
#include <string>

#include "libdig/format/tree_cursor.h"
#include "libdig/store/store.h"

namespace dig {

// Looks paths up in the newest state.  Where that throws a CorruptError, the path is as the last state before
// it has it that can be read there, and a notice says so, once.
class LastTree {
public:
	explicit LastTree(Store &store);

	// Of a path.  Calls in the order of paths are cheap.
	std::optional<Entry> find(const std::string &path);

private:
	Store &store_;
	std::uint64_t generation_;
	std::optional<TreeCursor> cursor_;
};

// Does action with the whole tree.  Where it throws a CorruptError, does it again with the state before, and a
// notice says so.  Returns the generation; 0 where no state can be read.
std::uint64_t with_last_tree(Store &store, const std::function<void(const TreeRoot &tree)> &action);

} // namespace dig

#endif
