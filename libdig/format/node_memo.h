// What was found in the node that was parsed last, for one that is much like it, as a node of the next state
// is: an item that comes again, byte for byte, is neither checked nor hashed again.  What it was found to be
// depends on its bytes alone, so it does not matter whether that node was the one that somebody wanted.
#ifndef DIG_NODE_MEMO_H
#define DIG_NODE_MEMO_H

#include <string_view>
#include <vector>

#include "libdig/chunking/merkle.h"
#include "libdig/format/node_id.h"

namespace dig {

// A checked item: its bytes, its path in them, and what it counts.
struct NodeItem {
	std::uint32_t size = 0, path_at = 0, path_size = 0;
	std::uint64_t leaves = 1, bytes = 0;
};

// For Node::parse().  One thread at a time; it takes about the memory of two nodes and their hashes.
class NodeMemo {
public:
	void begin(TreeKind kind, int level);
	// The next item, if the rest of the node begins with one of the last node; null if it has to be checked.
	const NodeItem *known(Bytes rest);
	// The next item, which was checked.
	void add(const NodeItem &item, std::string_view path);
	// The tree hash of the items; what they are is known to the next node.
	Digest finish(Bytes items);

private:
	struct Known {
		Buffer items;
		std::vector<NodeItem> list;
		MerkleTree tree;
	};
	std::string_view next_path() const;
	void pass();

	TreeKind kind_{};
	int level_ = -1;
	Known last_, next_;
	// The item of last_ that comes now, and where it begins.
	std::uint32_t number_ = 0;
	std::size_t at_ = 0;
	std::vector<std::uint32_t> same_, sizes_; // for each item of next_
};

} // namespace dig

#endif
