// The id of a tree's node, and of the trees that need no node to be known: the empty one and those
// of one chunk.  What is hashed: dig-layer-format(5).
#ifndef DIG_NODE_ID_H
#define DIG_NODE_ID_H

#include "libdig/base/digest.h"

namespace dig {

enum class TreeKind : std::uint8_t { chunk_list = 1, manifest = 2 };

// What is hashed besides the kind of the tree.
struct NodeContent {
	int level;
	std::uint32_t items;
	std::uint64_t leaves, bytes; // level-0 items and content bytes below
	Digest tree_hash;            // merkle_tree_hash of the encoded items
};
Digest node_id(TreeKind kind, const NodeContent &content);

Digest empty_root(TreeKind kind);
Digest single_chunk_root(const Digest &chunk, std::uint64_t size);

} // namespace dig

#endif
