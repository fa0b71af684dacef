// The new manifest is built from left to right out of the items of the old one and the changes.  A
// subtree of the old tree that no change touches is appended as a whole, without being read,
// whenever the builder is at a point where a node of that level begins.  After a change this is not
// so: the items behind it are appended one by one, until an item that ends a node in the old tree
// ends one in the new tree, too.  That happens within some nodes, because both follow the same
// boundary rule.
//
// So a commit reads and writes the nodes around each change and those on the way to the root.
#include "libdig/format/manifest_update.h"

namespace dig {

// Merges the changes into the subtree at ref, in order.
class ManifestUpdate {
public:
	ManifestUpdate(const NodeSource &source, const ManifestChanges &changes, TreeBuilder &builder)
		: source_(source), changes_(changes), builder_(builder), next_(changes())
	{
	}

	void merge_tree(const TreeRoot &root)
	{
		merge_items(load_root(source_, TreeKind::manifest, root), {}, true);
		append_changes_before({});
	}

private:
	void merge_node(const NodeRef &ref, std::string_view before, bool is_rightmost)
	{
		// A node that is not the last of its level was ended by the boundary rule, and can
		// stand as it is wherever a node begins.  The last one can do so only if nothing
		// follows it.
		const bool is_untouched =
			!next_ || (!is_rightmost && next_->path > ref.last_path);
		if (is_untouched && builder_.is_clean(ref.level)) {
			builder_.append_node(ref);
			return;
		}
		merge_items(load_node(source_, TreeKind::manifest, ref, before), before, is_rightmost);
	}

	void merge_items(const Node &node, std::string_view before, bool is_rightmost)
	{
		for (std::size_t i = 0; i < node.size(); i++)
			if (node.level() > 0)
				merge_node(node.child(i), i > 0 ? node.path(i - 1) : before,
					is_rightmost && i + 1 == node.size());
			else
				merge_item(node, i);
	}

	void append_changes_before(std::optional<std::string_view> path)
	{
		for (; next_ && (!path || next_->path < *path); next_ = changes_())
			if (next_->entry)
				builder_.append_entry(*next_->entry);
	}

	void merge_item(const Node &node, std::size_t i)
	{
		append_changes_before(node.path(i));
		if (!next_ || next_->path != node.path(i)) {
			builder_.append_encoded_entry(node.item(i), node.entry(i).size);
			return;
		}
		if (next_->entry)
			builder_.append_entry(*next_->entry);
		next_ = changes_();
	}

	const NodeSource &source_;
	const ManifestChanges &changes_;
	TreeBuilder &builder_;
	std::optional<ManifestChange> next_;
};

NodeRef update_manifest(const TreeRoot &old_root, const NodeSource &source,
	const ManifestChanges &changes, const NodeSink &sink)
{
	TreeBuilder builder(TreeKind::manifest, sink);
	ManifestUpdate(source, changes, builder).merge_tree(old_root);
	return builder.finish(source);
}

} // namespace dig
