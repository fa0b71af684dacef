// A node of a search tree: how it is stored, parsed and checked.
//
//     0      1       2       6        14      22
//     +------+-------+-------+--------+-------+--------+--------+-----
//     | kind | level | items | leaves | bytes | item 0 | item 1 | ...
//     | u8   | u8    | u32   | u64    | u64   |        |        |
//     +------+-------+-------+--------+-------+--------+--------+-----
//
// Items of level 0 are chunks (size, id) or encoded entries; above, an item names a node of the
// level below, with its counts and, in manifests, its last path.  Normative: dig-layer-format(5).
#ifndef DIG_TREE_NODE_H
#define DIG_TREE_NODE_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/format/entry.h"
#include "libdig/format/node_id.h"

namespace dig {

constexpr std::size_t min_node_items = 32, max_node_items = 512, max_node_bytes = 65536;
constexpr std::size_t node_header_size = 22;
constexpr std::size_t chunk_item_size = 40, chunk_node_item_size = 48;
// An item may have a path of 65,535 bytes, and nearly 65,536 bytes of items may stand before it.
// Readers take no larger node.
constexpr std::size_t max_stored_node_size = 256_KiB;
// 512^7 is beyond 2^63, and every node above level 0 halves the count at the least.
constexpr int max_tree_level = 62;

// A node as its parent names it.
struct NodeRef {
	Digest id;
	std::uint64_t leaves = 0; // level-0 items below
	std::uint64_t bytes = 0;  // content bytes below
	int level = 0;
	std::string last_path; // manifests
};

// A tree by its root, with the counts that are stored beside the root: an entry has the bytes, the
// header of a layer has both.  Whoever loads the tree compares them.
struct TreeRoot {
	TreeRoot(const Digest &root) : id(root) {}
	TreeRoot(const Digest &root, std::optional<std::uint64_t> leaf_count, std::uint64_t byte_count)
		: id(root), leaves(leaf_count), bytes(byte_count)
	{
	}
	Digest id;
	std::optional<std::uint64_t> leaves, bytes;
};

// The chunk list of an entry that names one, as file or as chunk.
inline TreeRoot content_root(const Entry &entry) { return {entry.file_root(), {}, entry.size}; }

// The node whose id single_chunk_root() is, as it is stored.
Buffer single_chunk_node(const Digest &chunk, std::uint64_t size);

// The fixed part in front of a node's items.
Buffer node_header(TreeKind kind, int level, std::size_t items, std::uint64_t leaves, std::uint64_t bytes);

class NodeMemo;

// A node, parsed and checked in itself: counts, order, sizes.
class Node {
public:
	// stored is the node as a layer keeps it; name is for messages.  Checks the id, too, unless
	// it is null.  A memo saves work for nodes that are like the one that was parsed with it before.
	static Node parse(Buffer stored, TreeKind kind, const Digest *id, std::string_view name,
		NodeMemo *memo = nullptr);
	Buffer take_stored() && { return std::move(stored_); }

	TreeKind kind() const { return kind_; }
	int level() const { return level_; }
	std::size_t size() const { return offsets_.size() - 1; }
	std::uint64_t leaves() const { return leaves_; }
	std::uint64_t bytes() const { return bytes_; }
	Bytes item(std::size_t i) const
	{
		return Bytes(stored_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
	}
	Bytes stored() const { return stored_; }

	// Level 0 of chunk lists.
	std::uint64_t chunk_size(std::size_t i) const { return load<std::uint64_t>(item(i).data()); }
	Digest chunk_id(std::size_t i) const;
	// Level 0 of manifests.
	Entry entry(std::size_t i) const;
	std::string_view path(std::size_t i) const; // of the entry, or the last path below
	// Above level 0.
	NodeRef child(std::size_t i) const;

	Digest compute_id() const;

private:
	void parse_items(std::string_view name, NodeMemo *memo);
	Digest id_with(const Digest &tree_hash) const;

	TreeKind kind_;
	int level_ = 0;
	std::uint64_t leaves_ = 0, bytes_ = 0;
	Buffer stored_;
	std::vector<std::uint32_t> offsets_; // of items, and the end
};

// Takes a finished node, and gives the stored bytes of one (throws if there is none with that id).
using NodeSink = std::function<void(const Digest &id, Bytes stored)>;
using NodeSource = std::function<Buffer(const Digest &id)>;

// Every node that is read comes from one of these two.  They throw CorruptError when the node is
// damaged or does not agree with what its parent says: level, counts and, in manifests, the last
// path; and when a manifest's paths do not lie behind the path before the node.  The level of a
// child is one less than its parent's, so that no way down is longer than max_tree_level.
Node load_node(const NodeSource &source, TreeKind kind, const NodeRef &ref, std::string_view before);
Node load_root(const NodeSource &source, TreeKind kind, const TreeRoot &root);
// What they check of a node that was parsed and compared with its id.
Node checked_node(Node node, const NodeRef &ref, std::string_view before);
Node checked_root(Node node, const TreeRoot &root);

} // namespace dig

#endif
