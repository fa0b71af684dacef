// Walks a search tree in order, and seeks in it.
#ifndef DIG_TREE_CURSOR_H
#define DIG_TREE_CURSOR_H

#include "libdig/format/tree_node.h"

namespace dig {

// Loads a node only when it enters it.  The current item is an item of level 0 (a leaf), or a
// subtree that was not entered yet.
class TreeCursor {
public:
	TreeCursor(TreeKind kind, const TreeRoot &root, NodeSource source);

	TreeKind kind() const { return kind_; }
	bool at_end() const { return frames_.empty(); }
	bool is_leaf() const { return frames_.back().node.level() == 0; }
	// The current subtree; only when !is_leaf().
	NodeRef subtree() const { return frames_.back().node.child(frames_.back().at); }
	void enter();
	// Past the current item or subtree.
	void skip();
	// Past the current chunk and the chunks behind it that are equal, at most this many;
	// returns how many they are.  In a long run, as a hole is one, equal nodes are read once.
	std::uint64_t skip_run(std::uint64_t most = ~std::uint64_t(0));
	// Enters until a leaf is current, or at_end().
	void settle();
	// To the next leaf, or at_end().
	void next()
	{
		skip();
		settle();
	}

	// Only when is_leaf().
	Entry entry() const { return frames_.back().node.entry(frames_.back().at); }
	std::string_view path() const { return frames_.back().node.path(frames_.back().at); }
	Digest chunk_id() const { return frames_.back().node.chunk_id(frames_.back().at); }
	std::uint64_t chunk_size() const { return frames_.back().node.chunk_size(frames_.back().at); }
	Bytes encoded() const { return frames_.back().node.item(frames_.back().at); }
	// Content bytes before the current item.
	std::uint64_t offset() const { return offset_; }

	// Forward to the first leaf whose path is equal to path or behind it; O(log n) nodes.
	void seek(std::string_view path);
	// Forward to the chunk that holds this offset, or at_end().
	void seek_offset(std::uint64_t offset);

	// Of the whole tree, as its root node tells.
	std::uint64_t total_leaves() const { return total_leaves_; }
	std::uint64_t total_bytes() const { return total_bytes_; }

private:
	struct Frame {
		Node node;
		std::size_t at = 0;
	};
	// The last path before the current subtree that the nodes above it name.
	std::string_view path_before() const;
	std::uint64_t current_bytes() const;
	bool holds_only(const NodeRef &ref, const Digest &chunk, std::vector<Digest> &known);

	TreeKind kind_;
	NodeSource source_;
	std::vector<Frame> frames_;
	std::uint64_t offset_ = 0, total_leaves_ = 0, total_bytes_ = 0;
};

// Nothing if the manifest lacks the path.
std::optional<Entry> find_entry(const TreeRoot &manifest, std::string_view path,
	const NodeSource &source);

} // namespace dig

#endif
