#include "libdig/store/kept_nodes.h"

namespace dig {

// Of its items' places, and of the tables here.
static std::size_t memory_of(const Node &node) { return node.stored().size() + 4 * node.size() + 256; }

KeptNodes::NodePointer KeptNodes::kept(const Digest &id)
{
	std::lock_guard guard(mutex_);
	if (const auto found = young_.find(id); found != young_.end())
		return found->second;
	const auto found = old_.find(id);
	if (found == old_.end())
		return nullptr;
	young_size_ += memory_of(*found->second);
	return young_.emplace(id, found->second).first->second;
}

KeptNodes::NodePointer KeptNodes::keep(const Digest &id, Node node)
{
	reads_++;
	auto shared = std::make_shared<const Node>(std::move(node));
	std::lock_guard guard(mutex_);
	if (young_size_ >= capacity_ / 2) {
		old_ = std::move(young_);
		young_.clear();
		young_size_ = 0;
	}
	if (young_.emplace(id, shared).second)
		young_size_ += memory_of(*shared);
	return shared;
}

// Of several trees that share a node, each has to agree with it.
KeptNodes::NodePointer KeptNodes::root(TreeKind kind, const TreeRoot &root, NodeMemo *memo)
{
	if (NodePointer node = kept(root.id))
		if (node->kind() == kind && root.leaves.value_or(node->leaves()) == node->leaves() &&
			root.bytes.value_or(node->bytes()) == node->bytes())
			return node;
	if (root.id == empty_root(kind))
		return keep(root.id, load_root(store_.nodes(), kind, root));
	return keep(root.id, checked_root(store_.read_node(kind, root.id, memo), root));
}

KeptNodes::NodePointer KeptNodes::child(const Node &parent, std::size_t number, NodeMemo *memo)
{
	const NodeRef ref = parent.child(number);
	const bool has_paths = parent.kind() == TreeKind::manifest;
	const std::string_view before = has_paths && number > 0 ? parent.path(number - 1) : std::string_view();
	const auto agrees = [&](const Node &node) {
		return node.kind() == parent.kind() && node.level() == ref.level && node.leaves() == ref.leaves &&
			node.bytes() == ref.bytes && (!has_paths || (node.path(node.size() - 1) == ref.last_path &&
			(before.empty() || node.path(0) > before)));
	};
	if (NodePointer node = kept(ref.id))
		if (agrees(*node))
			return node;
	return keep(ref.id, checked_node(store_.read_node(parent.kind(), ref.id, memo), ref, before));
}

} // namespace dig
