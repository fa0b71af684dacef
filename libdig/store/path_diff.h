// What two states do not share at and below one path.  Both trees are walked from the top: equal subtrees
// are recognized by their ids and not read, and neither is what lies beside the path.  So whether one path
// has changed costs the few nodes that lead to it, however large the states are.
#ifndef DIG_PATH_DIFF_H
#define DIG_PATH_DIFF_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/format/node_memo.h"
#include "libdig/store/kept_nodes.h"

namespace dig {

// Nodes are kept, so that a walk through many states reads and checks each of them once.
class PathDiff {
public:
	// nodes must outlive this.
	explicit PathDiff(KeptNodes &nodes) : nodes_(nodes) {}

	// before or after is null where that state lacks the path; false ends the walk.
	using Differs = std::function<bool(const Entry *before, const Entry *after)>;
	// The differing entry at path, and then those below it in order.  An empty path stands for everything.
	void each(const TreeRoot &before, const TreeRoot &after, const std::string &path, const Differs &differs);
	bool has_any(const TreeRoot &before, const TreeRoot &after, const std::string &path);

	// The paths from first up to, and without, end; an empty end is none.  False if differs has ended it.
	bool each_in(const TreeRoot &before, const TreeRoot &after, const std::string &first, const std::string &end,
		const Differs &differs);

	// What is kept of the nodes that were read last: of roots, and of others by level.
	struct Memos {
		NodeMemo root;
		std::vector<NodeMemo> levels;
	};

private:
	KeptNodes &nodes_;
	Memos memos_;
};

// PathDiff::each() of everything, by several threads where the states are large.  differs is called in the order
// of paths, by one thread or another and never by two at once.
void diff_whole_states(Store &store, const TreeRoot &before, const TreeRoot &after, const PathDiff::Differs &differs);

} // namespace dig

#endif
