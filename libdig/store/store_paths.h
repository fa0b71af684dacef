// Where a store and its work tree are: found from the current directory, made, and attached.
#ifndef DIG_STORE_PATHS_H
#define DIG_STORE_PATHS_H

#include <optional>
#include <string>

#include "libdig/format/store_format.h"

namespace dig {

// Small files of a store, as its format and its id, are read up to this size.
constexpr std::size_t max_small_file = 64_KiB;

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
	std::string merged_layer(const Digest &pack_id) const { return layers() + "/" + to_hex(pack_id) + ".merged"; }
	std::string reserve() const { return store + "/reserve"; }
	std::string checkpoint() const { return store + "/checkpoint"; } // the last one that was signed
	std::string cache() const { return store + "/cache"; }
	std::string evidence() const { return store + "/evidence"; }
	std::string tags() const { return store + "/tags"; }
	std::string states() const { return store + "/states"; }
	std::string layer_table() const { return store + "/layer-table"; }
	// Held by adds, one of two in turn; see StagingWriter.
	std::string adding(std::uint64_t round) const { return store + (round % 2 ? "/adding-1" : "/adding-0"); }
	std::string damaged() const { return store + "/damaged"; }
	std::string dropped() const { return store + "/dropped"; }
	std::string chunk_index() const { return store + "/chunk-index"; }
	std::string lock() const { return store + "/lock"; }
	std::string fetch_lock() const { return store + "/fetch-lock"; }
	std::string gc_lock() const { return store + "/gc-lock"; }
	std::string tmp() const { return store + "/tmp"; }
	// DIG_STAGING_DIR, or staging/.
	std::string staging() const;
};

// Looks upward from the current directory, or where DIG_DIR and DIG_WORK_TREE say, for a .dig in a work
// tree or a directory that is a store.  Error when something on the way belongs to a stranger
// (owner_check).
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

// Makes work_tree a work tree of a store that exists.  All work trees of a store share its staging
// area.  Durable.
StorePaths attach_store(const std::string &work_tree, const std::string &store);

} // namespace dig

#endif
