// The nodes of the tree over blocks of a file (block_tree), for proofs of single bytes.
//
// A node above a MiB is looked up: one pass over all content makes a table of them, 64 bytes for each MiB.
// The table of a file of 64 MiB or more is kept in .dig/cache, if that can be written.  It is derived and may
// be removed at any time.  A node below a MiB is made from the content of that MiB.
//
// Nothing of the table is believed by itself: what comes out was followed up to the root that the entry
// has.  A table that fails is made anew.
//
//     cache/blocks-<root>:  preamble | u64 size | root of the end | level 0 | level 1 | …
//
// The end is what is behind the last whole MiB.  Level k has the roots of the complete subtrees of 2^k MiB, in
// order, 32 bytes each.  Zeros stand for the root of a subtree of zeros, so that the table of a sparse file is
// sparse.  Normative: dig-store-layout(5).
#ifndef DIG_BLOCK_ROOTS_H
#define DIG_BLOCK_ROOTS_H

#include <unordered_map>
#include <vector>

#include "libdig/chunking/block_tree.h"
#include "libdig/format/entry.h"
#include "libdig/os/file.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// Of one thread.
class BlockRoots {
public:
	// The entry has the attribute (Entry::block_tree()); an Error if not.  Reads nothing yet.  The store and work
	// must outlive this.
	BlockRoots(Store &store, const Entry &entry, Work &work = unseen_work());
	~BlockRoots();
	BlockRoots(const BlockRoots &) = delete;

	// How many there are: one for each 16 KiB, the last one perhaps shorter.
	std::uint64_t count() const { return count_; }
	// The tree hash of the blocks [first, last), which are those of a node of the file's tree: as many as a power
	// of two and behind a multiple of it, or what the file has of these.  Reads a MiB of content at most, or the
	// chunks that have it, and nothing if the call before was for the same MiB.  The first call may read all
	// content.  CorruptError if the content is damaged, or has not the root of the attribute.
	Digest hash(std::uint64_t first, std::uint64_t last);
	bool is_node(std::uint64_t first, std::uint64_t last) const;

private:
	class Table;
	struct BadTable : std::exception {};
	template <typename Function> auto with_table(const Function &function);
	void open_table();
	Digest node(int level, std::uint64_t number) const;
	void follow(int level, std::uint64_t number, Digest root);
	void load_leaves(std::uint64_t mib);

	Store &store_;
	const Entry entry_;
	Work &work_;
	const Digest root_;
	const std::uint64_t count_, mibs_; // the last one may be shorter
	std::unique_ptr<Table> table_;
	std::unordered_map<std::uint64_t, Digest> followed_; // by level and number
	std::uint64_t loaded_mib_ = ~std::uint64_t{0};
	std::vector<Digest> leaves_; // of that MiB
};

// The root of the tree over blocks of the entry's content, by reading it; long runs of zeros are not read.
// completed as in BlockTree.
BlockTree tree_of_blocks(Store &store, const Entry &entry, Work &work = unseen_work(),
	BlockTree::Completed completed = nullptr);

} // namespace dig

#endif
