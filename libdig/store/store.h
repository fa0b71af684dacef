// A store that is opened for reading: its states, its layers, and chunks and nodes by digest.
#ifndef DIG_STORE_H
#define DIG_STORE_H

#include <list>
#include <map>
#include <set>

#include "libdig/format/root_history.h"
#include "libdig/format/search_tree.h"
#include "libdig/format/settings.h"
#include "libdig/store/chunk_cache.h"
#include "libdig/store/chunk_index.h"
#include "libdig/store/elsewhere.h"
#include "libdig/store/store_paths.h"

namespace dig {

// The first digits of a root that several states of the store begin with.
class AmbiguousRoot : public Error {
public:
	explicit AmbiguousRoot(const std::string &message) : Error(message) {}
};

// The state was dropped by dig gc: its root is known, its content is gone.
class DroppedState : public Error {
public:
	explicit DroppedState(const std::string &message) : Error(message) {}
};

// A state by name: HEAD, @n, a full root, a unique prefix of one, a tag, HEAD@{TIME}; NAME~n is so many states
// before it.
struct RootName {
	std::uint64_t generation;
	Digest root;
};

// Error where somebody has set chunking parameters for this store that are not its own.
void compare_chunking(const Settings &settings, const StoreFormat &format);

class Store {
public:
	// Opens for reading: takes no lock, creates nothing.  The paths are of find_store().
	explicit Store(StorePaths paths);
	// A layer file that stands alone: its states, and no others.  There are no paths, and roots() is empty.
	explicit Store(std::shared_ptr<Layer> alone);
	Store(const Store &) = delete;

	const StorePaths &paths() const { return paths_; }
	const Digest &id() const { return format_.store_id; }
	const ChunkingParameters &chunking() const { return format_.chunking; }
	const Settings &settings() const { return settings_; }
	// As they are now; any thread.
	RootHistory roots() const;
	// Of all layers, for the next generation.  Reads the newest layer; hashes all ids where that is merged
	// or lost.
	MerklePeaks peaks();
	// Of the newest state; empty before the first commit.
	std::optional<Digest> head_manifest();
	// False where the newest state is lost, too.
	bool is_head(const std::optional<Digest> &manifest);
	// The newest manifest as a tree to read; before the first commit, the empty manifest.
	TreeRoot head_tree();

	// Throws an Error for a name that is no state, AmbiguousRoot for digits that are not enough.
	RootName resolve(std::string_view name);
	// Which layers are merged, and which states dropped, as of now; any thread.
	std::shared_ptr<const LayerTable> layer_table() const;
	// Whether layer_table() has a file that the table on disk does not name yet, since a process that imported it
	// was killed.
	bool has_adopted() const;
	// The layer file of a generation, which may have others in it.  What it says of the generation is
	// checked against the history.  A few layers are kept open.  Any thread.
	std::shared_ptr<Layer> layer(std::uint64_t generation);
	// What the generation says of itself, checked against the history; of a dropped state, too, and of
	// one whose layer is lost, if that was noted (state_log).
	LayerState state(std::uint64_t generation);
	// For a generation whose layer is lost: what a copy said of it.  Whoever calls has compared the id.
	void set_state(std::uint64_t generation, LayerState state);
	// Generation 0 stands for the time before the first commit, and has the empty manifest.
	// DroppedState for one that was dropped.
	TreeRoot manifest(std::uint64_t generation);

	// Where the chunk index says that an item is.  Quick, and no proof that it is there.
	std::optional<ItemPlace> find_item(ItemKind kind, const Digest &digest);
	// Whether an item is stored so reliably that it need not be stored again.  content, if it is at
	// hand, is compared with a raw block.  Any thread.
	bool holds(ItemKind kind, const Digest &digest, Bytes content = {});
	// Where a layer has the item in its own chunk index.  Nothing only after all layers were asked.
	std::optional<ItemPlace> find_in_layers(ItemKind kind, const Digest &digest);
	// The item's bytes, verified, from any layer that has them.  If somebody else has committed
	// meanwhile, the new layers are asked too.  CorruptError when no layer holds the item, or all that
	// do are damaged.  Any thread.  Blocks of several items come through the cache; a block of one
	// chunk is decoded each time.
	Buffer read_item(ItemKind kind, const Digest &digest);
	// The same for items that are wanted in about the order in which they are stored: it looks behind the
	// one before first, and the index is asked only where that is another one.
	Buffer read_next_item(ItemKind kind, const Digest &digest, std::optional<ItemPlace> &last);
	// A node as read_item() finds it, parsed and compared with its id once.  Of its place in a tree, nothing was
	// checked.  Any thread.
	Node read_node(TreeKind kind, const Digest &id, NodeMemo *memo = nullptr);
	// The same as read_item(), but empty when no layer holds it.
	std::optional<Buffer> find_item_anywhere(ItemKind kind, const Digest &digest);
	// The same for items that may well be nowhere: it asks neither all layers nor new commits.
	std::optional<Buffer> find_item_bytes(ItemKind kind, const Digest &digest);
	// Whether the copy at a place is good, and whether a layer has a good one in another
	// block; the latter asks all layers.
	bool is_good_copy(ItemKind kind, const Digest &digest, const ItemPlace &place);
	bool has_other_copy(ItemKind kind, const Digest &digest, const ItemPlace &place);
	// Reads nodes; falls back to extra, if set, for what no layer holds (staged nodes).
	NodeSource nodes();
	void set_extra_items(std::function<std::optional<Buffer>(ItemKind, const Digest &)> extra)
	{
		extra_ = std::move(extra);
	}
	// The layer file that is read in place of a store; else null.
	const std::shared_ptr<Layer> &alone() const { return alone_; }
	ChunkCache &cache() { return cache_; }

	// Looks at roots again, after a commit by somebody else.
	void reload();
	// The same if they have changed; true when they have.  Any thread.
	bool refresh();

private:
	std::shared_ptr<ChunkIndex> chunk_index();
	std::shared_ptr<Layer> open_layer(std::uint64_t generation);
	bool close_layers(); // false if none was open
	RootName resolve_alone(std::string_view name) const;
	std::optional<Buffer> find_bytes_alone(ItemKind kind, const Digest &digest);
	struct BlockAt {
		std::shared_ptr<const DecodedBlock> block; // null when it does not have the item
		bool was_cached = false;
	};
	BlockAt block_at(const ItemPlace &place, ItemKind kind);
	void keep_block(const ItemPlace &place, const BlockAt &at);
	std::optional<Buffer> read_block_at(const ItemPlace &place, ItemKind kind, const Digest &digest);
	std::optional<Buffer> read_at(const ItemPlace &place, ItemKind kind, const Digest &digest);
	std::optional<Buffer> read_elsewhere(ChunkIndex &index, ItemKind kind, const Digest &digest);
	std::optional<Buffer> search_item(ItemKind kind, const Digest &digest);

	StorePaths paths_;
	StoreFormat format_;
	Settings settings_;
	ChunkCache cache_, node_cache_;
	mutable std::mutex mutex_;
	// Replaced by reload(), perhaps while others look things up.
	RootHistory roots_;
	std::shared_ptr<const LayerTable> table_ = std::make_shared<LayerTable>();
	std::optional<FileStat> roots_stat_, table_stat_;
	std::map<std::uint64_t, LayerState> given_states_;
	std::vector<GenerationRange> dropped_at_first_; // when the store was opened
	bool is_opened_ = false, has_adopted_ = false;
	std::shared_ptr<ChunkIndex> index_;
	std::shared_ptr<IndexRoom> index_room_;
	struct OpenLayer {
		std::shared_ptr<Layer> layer;
		std::uint64_t last_use; // of layer_uses_
	};
	std::map<std::uint64_t, OpenLayer> layers_;
	std::uint64_t layer_uses_ = 0;
	std::shared_ptr<PackRanges> pack_ranges_;
	std::shared_ptr<Layer> alone_;
	std::set<ChunkCache::Key> intact_blocks_; // by their checksums
	std::function<std::optional<Buffer>(ItemKind, const Digest &)> extra_;
};

} // namespace dig

#endif
