// Tree nodes that are kept parsed and checked, bounded in bytes, for many short walks.
#ifndef DIG_KEPT_NODES_H
#define DIG_KEPT_NODES_H

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "libdig/store/store.h"

namespace dig {

// Any thread may call.
class KeptNodes {
public:
	KeptNodes(Store &store, std::size_t capacity) : store_(store), capacity_(capacity) {}

	using NodePointer = std::shared_ptr<const Node>;
	// What load_root() and load_node() give, and throw.  A memo is for one thread.
	NodePointer root(TreeKind kind, const TreeRoot &root, NodeMemo *memo = nullptr);
	NodePointer child(const Node &parent, std::size_t number, NodeMemo *memo = nullptr);
	// How many nodes were read, since they were not kept.
	std::uint64_t reads() const { return reads_; }

private:
	NodePointer kept(const Digest &id);
	NodePointer keep(const Digest &id, Node node);

	using Nodes = std::unordered_map<Digest, NodePointer, DigestHash>;
	Store &store_;
	std::size_t capacity_;
	std::mutex mutex_;
	// What was used lately, and what was before that: when the first is half full, it becomes the second.
	Nodes young_, old_;
	std::size_t young_size_ = 0;
	std::atomic<std::uint64_t> reads_ = 0;
};

} // namespace dig

#endif
