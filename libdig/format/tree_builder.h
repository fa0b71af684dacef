// Builds a search tree from its items in order.
#ifndef DIG_TREE_BUILDER_H
#define DIG_TREE_BUILDER_H

#include "libdig/chunking/merkle.h"
#include "libdig/format/tree_node.h"

namespace dig {

// Takes the memory of one node for each level.
class TreeBuilder {
public:
	TreeBuilder(TreeKind kind, NodeSink sink);

	// count equal chunks, at the cost of the nodes that differ from each other: some for each
	// level.
	void append_chunks(const Digest &id, std::uint64_t size, std::uint64_t count);
	void append_chunk(const Digest &id, std::uint64_t size) { append_chunks(id, size, 1); }
	void append_entry(const Entry &entry);
	void append_encoded_entry(Bytes encoded, std::uint64_t size);

	// A whole subtree of another tree, which is not read.  Only while is_clean(ref.level).
	void append_node(const NodeRef &ref);
	// True when no level up to this one has items whose node has not ended.
	bool is_clean(int level) const;

	// Ends the sequence, and the use of the builder.  A tree that shrank may have nodes with a
	// single child above its real root; source reads these.  It may be null if append_node()
	// was not used.
	NodeRef finish(const NodeSource &source = nullptr);

	std::uint64_t leaves() const { return leaves_; }
	std::uint64_t bytes() const { return bytes_; }

	// A chunk list that is not finished, in some KiB, to go on with in another process.
	Buffer checkpoint() const;
	static TreeBuilder resume(Bytes checkpoint, std::string_view name, NodeSink sink);
	// The items whose node has not ended: chunks at level 0, nodes of chunk lists above.
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
	MerkleTree scratch_;
	Buffer stored_, item_;
};

} // namespace dig

#endif
