// Goes through trees, and through each subtree once however often it stands in them: a run of equal
// chunks shares its nodes, and a small layer can describe 2^54 of them.
#ifndef DIG_TREE_SURVEY_H
#define DIG_TREE_SURVEY_H

#include "libdig/format/search_tree.h"
#include "libdig/staging/item_set.h"

namespace dig {

class TreeSurvey {
public:
	// What was seen takes as much memory as an ItemSet; the rest lies in directory.
	TreeSurvey(NodeSource source, std::string directory) : source_(std::move(source)), seen_(std::move(directory)) {}

	// Calls leaf with the nodes of level 0, in order, without what earlier calls came through to the
	// end.  Every node is one that load_node() or load_root() has let pass.  Throws Interrupted.
	using Leaf = std::function<void(const Node &)>;
	void visit(TreeKind kind, const TreeRoot &root, const Leaf &leaf);

private:
	void visit_items(const Node &node, std::string_view before, const Leaf &leaf);
	void visit_subtree(TreeKind kind, const NodeRef &ref, std::string_view before, const Leaf &leaf);

	NodeSource source_;
	ItemSet seen_;
};

} // namespace dig

#endif
