// The Merkle search tree (prolly tree) that keeps chunk lists and manifests.
//
//     level 2                    [ root ]
//     level 1         [ node ][ node ]   [ node ]        an item = a node below
//     level 0     [32-512 items][...][...]   [...][...]  an item = a chunk, or an entry
//
// Where a node ends depends on the items alone, so equal sequences give equal trees whatever the
// order of edits; an edit writes the nodes on its path; equal subtrees are skipped by their id.
// Identities and bytes: dig-layer-format(5).  The boundary rule follows Noms and Dolt.
#ifndef DIG_SEARCH_TREE_H
#define DIG_SEARCH_TREE_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/chunking/merkle.h"
#include "libdig/format/entry.h"

namespace dig {

enum class TreeKind : std::uint8_t { chunk_list = 1, manifest = 2 };

constexpr std::size_t min_node_items = 32, max_node_items = 512, max_node_bytes = 65536;
constexpr std::size_t node_header_size = 22;
constexpr std::size_t chunk_item_size = 40, chunk_node_item_size = 48;
// A path of 65,535 bytes and 65,535 bytes of items before it; also the bound for reading.
constexpr std::size_t max_stored_node_size = 256_KiB;
// 512^7 is beyond 2^63, and every node above level 0 halves the count at the least.
constexpr int max_tree_level = 62;

// What a parent knows of a node.
struct NodeRef {
	Digest id;
	std::uint64_t leaves = 0; // level-0 items below
	std::uint64_t bytes = 0;  // content bytes below
	int level = 0;
	std::string last_path; // manifests
};

// A tree by its root, with what names it says of it: an entry its bytes, a layer's header both.
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

Digest empty_root(TreeKind kind);
Digest single_chunk_root(const Digest &chunk, std::uint64_t size);
// The node with that id, as it would be stored.
Buffer single_chunk_node(const Digest &chunk, std::uint64_t size);

// A node, parsed and checked in itself: counts, order, sizes.
class Node {
public:
	// stored are the bytes of the node as a layer keeps them; name is for messages.  Checks
	// the id, too, unless it is null.
	static Node parse(Buffer stored, TreeKind kind, const Digest *id, std::string_view name);

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
	TreeKind kind_;
	int level_ = 0;
	std::uint64_t leaves_ = 0, bytes_ = 0;
	Buffer stored_;
	std::vector<std::uint32_t> offsets_; // of items, and the end
};

// Where finished nodes go, and where nodes come from (stored bytes; throws where there is none).
using NodeSink = std::function<void(const Digest &id, Bytes stored)>;
using NodeSource = std::function<Buffer(const Digest &id)>;

// The only ways to a node of a tree that is not built here.  CorruptError when the node is damaged,
// or is not what is said of it: its level, its counts and, in manifests, its last path and that its
// paths lie behind the path before it.  A child's level is one less than its parent's, so that no
// way down is longer than max_tree_level.
Node load_node(const NodeSource &source, TreeKind kind, const NodeRef &ref, std::string_view before);
Node load_root(const NodeSource &source, TreeKind kind, const TreeRoot &root);

// Builds a tree from its items in order, in memory of a few nodes.
class TreeBuilder {
public:
	TreeBuilder(TreeKind kind, NodeSink sink);

	// So many equal chunks.  Costs the nodes that differ, not the chunks: some for each level.
	void append_chunks(const Digest &id, std::uint64_t size, std::uint64_t count);
	void append_chunk(const Digest &id, std::uint64_t size) { append_chunks(id, size, 1); }
	void append_entry(const Entry &entry);
	void append_encoded_entry(Bytes encoded, std::uint64_t size);

	// A whole subtree that is known already.  Only while is_clean(ref.level).
	void append_node(const NodeRef &ref);
	// True when no level up to this one has items that wait for their node to end.
	bool is_clean(int level) const;

	// Ends the sequence; the builder is used up.  source reads single nodes where a tree that
	// shrank has to be cut down to its real root, and may be null if append_node was not used.
	NodeRef finish(const NodeSource &source = nullptr);

	std::uint64_t leaves() const { return leaves_; }
	std::uint64_t bytes() const { return bytes_; }

	// The state of a chunk list that is not finished, some KiB, and back again.
	Buffer checkpoint() const;
	static TreeBuilder resume(Bytes checkpoint, std::string_view name, NodeSink sink);
	// What waits in it: chunks at level 0, nodes of chunk lists above.
	void each_waiting(const std::function<void(int level, const Digest &id)> &found) const;

private:
	struct Level {
		Buffer items;
		std::vector<std::uint32_t> sizes;
		std::uint64_t leaves = 0, bytes = 0;
		std::uint64_t node_count = 0; // nodes ended, or known to be, at this level
		NodeRef last;                 // the last of them
		bool is_last_known = false;   // it was not built here
		std::string last_path;
	};
	Level &level(int number);
	// One item, count times.
	struct Item {
		Bytes encoded;
		std::uint64_t leaves, bytes;
		const Digest *id;      // chunk lists
		std::string_view path; // manifests
		std::uint64_t count = 1;
	};
	void append_items(int number, const Item &item);
	bool ends_node(int number, const Digest *id, std::string_view path) const;
	void end_node(int number, std::uint64_t count = 1);
	void append_ref(int number, const NodeRef &ref, std::uint64_t count = 1);

	TreeKind kind_;
	NodeSink sink_;
	std::vector<Level> levels_;
	std::uint64_t leaves_ = 0, bytes_ = 0;
	MerkleScratch scratch_;
	Buffer stored_, item_;
};

// Walks a tree in order, loading nodes only as it enters them.  The current item is an item of
// level 0, or a subtree that was not entered yet.
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
	// Past the current chunk and those that follow and equal it, at most so many; how many these
	// are.  Of a long run, as in a hole, equal nodes are read once.
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

	// Forward to the first leaf whose path is at or behind path; O(log n) nodes.
	void seek(std::string_view path);
	// Forward to the chunk that holds this offset, or at_end().
	void seek_offset(std::uint64_t offset);

	std::uint64_t total_leaves() const { return total_leaves_; }
	std::uint64_t total_bytes() const { return total_bytes_; }

private:
	struct Frame {
		Node node;
		std::size_t at = 0;
	};
	// The last path before the current subtree, as far as its parents know.
	std::string_view path_before() const;
	std::uint64_t current_bytes() const;
	bool holds_only(const NodeRef &ref, const Digest &chunk, std::vector<Digest> &known);

	TreeKind kind_;
	NodeSource source_;
	std::vector<Frame> frames_;
	std::uint64_t offset_ = 0, total_leaves_ = 0, total_bytes_ = 0;
};

// One path of a manifest set or, without an entry, removed.
struct ManifestChange {
	std::string path;
	std::optional<Entry> entry;
};
// Changes in the order of paths, each path once; nothing at the end.
using ManifestChanges = std::function<std::optional<ManifestChange>()>;

// The manifest that the changes make of an old one.  Reads and writes nodes in proportion to the
// changes.
NodeRef update_manifest(const TreeRoot &old_root, const NodeSource &source,
	const ManifestChanges &changes, const NodeSink &sink);

// Calls differs for each path that the two manifests do not have alike, in order; one side is null
// where it lacks the path.  Equal subtrees are not read.
void diff_manifests(const TreeRoot &before, const TreeRoot &after, const NodeSource &source,
	const std::function<void(const Entry *before, const Entry *after)> &differs);

// Moves both cursors past everything that they share from here on: to their ends, or to leaves
// of which they do not both have the next one alike.
void skip_equal(TreeCursor &a, TreeCursor &b);

std::optional<Entry> find_entry(const TreeRoot &manifest, std::string_view path,
	const NodeSource &source);

} // namespace dig

#endif
