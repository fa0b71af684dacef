// Compares two search trees.  Equal subtrees are recognized by their ids and not read, so the cost
// grows with the difference and not with the trees.
#ifndef DIG_TREE_DIFFERENCE_H
#define DIG_TREE_DIFFERENCE_H

#include "libdig/format/tree_cursor.h"

namespace dig {

// Calls differs for each path whose entries are not equal, in order; before or after is null if
// that manifest lacks the path.
void diff_manifests(const TreeRoot &before, const TreeRoot &after, const NodeSource &source,
	const std::function<void(const Entry *before, const Entry *after)> &differs);

// Moves both cursors forward as long as what follows is equal on both sides.  Afterwards both stand
// at leaves that differ, or at least one is at its end.
void skip_equal(TreeCursor &a, TreeCursor &b);

} // namespace dig

#endif
