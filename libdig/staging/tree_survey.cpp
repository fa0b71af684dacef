#include "libdig/staging/tree_survey.h"

#include "libdig/os/process.h"

namespace dig {

// A subtree as its parent describes it.  Where two parents say different things of one node, one of
// them lies, and the node is looked at for each.
static Digest key_of(TreeKind kind, const Digest &id, int level, std::optional<std::uint64_t> leaves,
	std::optional<std::uint64_t> bytes)
{
	Buffer text;
	put_u8(text, static_cast<std::uint8_t>(kind));
	put_u8(text, static_cast<std::uint8_t>(level));
	put_u8(text, static_cast<std::uint8_t>(leaves.has_value() + 2 * bytes.has_value()));
	put_u64(text, leaves.value_or(0));
	put_u64(text, bytes.value_or(0));
	append(text, id);
	return digest_of(text);
}

constexpr int root_level = 0xff;

void TreeSurvey::visit(TreeKind kind, const TreeRoot &root, const Leaf &leaf)
{
	const Digest key = key_of(kind, root.id, root_level, root.leaves, root.bytes);
	if (seen_.contains(ItemKind::node, key))
		return;
	visit_items(load_root(source_, kind, root), {}, leaf);
	seen_.insert(ItemKind::node, key);
}

void TreeSurvey::visit_subtree(TreeKind kind, const NodeRef &ref, std::string_view before, const Leaf &leaf)
{
	// Order makes every subtree of a manifest another one.
	const bool may_be_shared = kind == TreeKind::chunk_list;
	const Digest key = may_be_shared ? key_of(kind, ref.id, ref.level, ref.leaves, ref.bytes) : Digest();
	if (may_be_shared && seen_.contains(ItemKind::node, key))
		return;
	// A subtree counts as seen only after all of it went well.  Damage that ends the visit is found
	// again for the next file that shares the subtree, so that each of these files is named.
	visit_items(load_node(source_, kind, ref, before), before, leaf);
	if (may_be_shared)
		seen_.insert(ItemKind::node, key);
}

void TreeSurvey::visit_items(const Node &node, std::string_view before, const Leaf &leaf)
{
	check_interrupted();
	if (node.level() == 0)
		return leaf(node);
	const bool is_ordered = node.kind() == TreeKind::manifest;
	for (std::size_t i = 0; i < node.size(); i++)
		visit_subtree(node.kind(), node.child(i), is_ordered && i > 0 ? node.path(i - 1) : before, leaf);
}

} // namespace dig
