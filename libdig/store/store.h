// A store and its work tree: found, created, opened for reading.
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

namespace dig {

// Where a store is.  Directories have no '/' at their end.
struct StorePaths {
	std::string store;     // .dig, or where it points
	std::string work_tree; // empty when a store was opened alone
	const std::string &get_work_tree() const; // or Error
	std::string prefix;    // of the current directory below the work tree

	std::string format() const { return store + "/format"; }
	std::string config() const { return store + "/config.toml"; }
	std::string roots() const { return store + "/roots"; }
	std::string layers() const { return store + "/layers"; }
	std::string layer(const Digest &id) const { return layers() + "/" + to_hex(id) + ".dig"; }
	std::string chunk_index() const { return store + "/chunk-index"; }
	std::string lock() const { return store + "/lock"; }
	std::string tmp() const { return store + "/tmp"; }
	// DIG_STAGING_DIR, or staging/.
	std::string staging() const;
};

// Upward from the current directory, or as DIG_DIR and DIG_WORK_TREE say: a .dig in a work tree, or a
// directory that is a store.  Error when a stranger owns what leads there (owner_check).
std::optional<StorePaths> find_store();
StorePaths get_store(); // or NoStoreError
// The .dig directory alone, for dig-config.
std::optional<std::string> find_store_directory();

struct NewStore {
	std::string work_tree;                // made if it is not there
	std::optional<std::string> store;     // elsewhere than in .dig
	std::optional<Digest> store_id;       // else random
	ChunkingParameters chunking;
};
// Durable when it returns.  Error when there is a store already.
StorePaths create_store(const NewStore &parameters);

// Makes work_tree the work tree of a store that is there; both share its staging area.  Durable.
StorePaths attach_store(const std::string &work_tree, const std::string &store);

// The first digits of a root that several states of the store begin with.
class AmbiguousRoot : public Error {
public:
	explicit AmbiguousRoot(const std::string &message) : Error(message) {}
};

// A state by name: HEAD, HEAD~n, @n, a full root, a unique prefix of one.
struct RootName {
	std::uint64_t generation;
	Digest root;
};

class Store {
public:
	// Opens for reading: takes no lock, creates nothing.  The paths are of find_store().
	explicit Store(StorePaths paths);
	Store(const Store &) = delete;

	const StorePaths &paths() const { return paths_; }
	const Digest &id() const { return format_.store_id; }
	const ChunkingParameters &chunking() const { return format_.chunking; }
	const Settings &settings() const { return settings_; }
	// As they are now; any thread.
	RootHistory roots() const;
	// Of the newest state; nothing before the first commit.
	std::optional<Digest> head_manifest();
	// The same for who reads it; the empty manifest before the first commit.
	TreeRoot head_tree();

	// Throws an Error for a name that is no state, AmbiguousRoot for digits that are not enough.
	RootName resolve(std::string_view name) const;
	// The layer of a generation; its id and header are checked against the history.  A few
	// are kept open.  Any thread; good until many others were asked for.
	std::shared_ptr<Layer> layer(std::uint64_t generation);
	// Of generation 0, which is before the first commit, the empty one.
	TreeRoot manifest(std::uint64_t generation);

	// Where an item is said to be, for a look at it; quick, and no proof of anything.
	std::optional<ItemPlace> find_item(ItemKind kind, const Digest &digest);
	// Whether an item can be relied on to be stored, as who would store it else has to ask.  content,
	// where it is at hand, is compared with what is stored raw.  Any thread.
	bool holds(ItemKind kind, const Digest &digest, Bytes content = {});
	// Where a layer has the item in its own chunk index; all of them are asked before there is
	// nothing.
	std::optional<ItemPlace> find_in_layers(ItemKind kind, const Digest &digest);
	// The item's bytes, verified, from any place that has them.  CorruptError when no layer holds it
	// or all that do are damaged; a commit by somebody else is followed before that is said.  Any
	// thread.  Large blocks are decoded each time, others come through the cache.
	Buffer read_item(ItemKind kind, const Digest &digest);
	// The same, but nothing when no layer holds it.
	std::optional<Buffer> find_item_anywhere(ItemKind kind, const Digest &digest);
	// The same for what may well be nowhere: neither are all layers asked nor commits followed.
	std::optional<Buffer> find_item_bytes(ItemKind kind, const Digest &digest);
	// Reads nodes; falls back to extra, if set, for what no layer holds (staged nodes).
	NodeSource nodes();
	void set_extra_items(std::function<std::optional<Buffer>(ItemKind, const Digest &)> extra)
	{
		extra_ = std::move(extra);
	}
	ChunkCache &cache() { return cache_; }

	// Looks at roots again, after a commit by somebody else.
	void reload();
	// The same if they have changed; true when they have.  Any thread.
	bool refresh();

private:
	std::shared_ptr<ChunkIndex> chunk_index();
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
	std::optional<FileStat> roots_stat_;
	std::shared_ptr<ChunkIndex> index_;
	std::shared_ptr<IndexRoom> index_room_;
	std::map<std::uint64_t, std::shared_ptr<Layer>> layers_;
	std::set<ChunkCache::Key> intact_blocks_; // by their checksums
	std::function<std::optional<Buffer>(ItemKind, const Digest &)> extra_;
};

} // namespace dig

#endif
