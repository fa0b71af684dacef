// A store is found as git finds a repository: the nearest directory above that has a ".dig", or DIG_DIR.
// A ".dig" is the store, or a file of one line that says where it is, for a store on another disk or one
// that serves several work trees.
//
// Finding a store decides which settings are read and where files are written, and another user may have
// put the ".dig" there.  So everything that leads to the store is checked for its owner before anything
// of it is read (owner_check), in the order in which it is followed: the entrance, then what it points
// to, then the staging area.
//
// A new store gets the file "format" last.  A directory without it is no store yet, so an init that was
// killed can simply be run again.
#include "libdig/store/store_paths.h"

#include <cstdlib>

#include <boost/filesystem.hpp>

#include "libdig/format/root_history.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/file.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/store/owner_check.h"

namespace dig {

namespace fs = boost::filesystem;

static std::string environment(const char *name)
{
	const char *value = std::getenv(name);
	return value ? value : "";
}

std::string StorePaths::staging() const
{
	const std::string elsewhere = environment("DIG_STAGING_DIR");
	return elsewhere.empty() ? store + "/staging" : elsewhere;
}

const std::string &StorePaths::get_work_tree() const
{
	if (work_tree.empty())
		throw Error("the store " + quote(store) + " has no work tree here; DIG_WORK_TREE names one, "
			"'dig init --attach=STORE' makes one");
	return work_tree;
}

// What .dig is: the store itself, or a file of one line that says where it is.
static std::string follow(const std::string &dig)
{
	const std::optional<FileStat> stat = find_stat(dig);
	if (!stat || stat->type == FileType::directory)
		return dig;
	if (stat->type != FileType::regular)
		throw Error(quote(dig) + " is neither a store nor a file that points to one");
	const Buffer content = read_whole_file(dig, max_small_file);
	std::string_view line = text_of(content);
	constexpr std::string_view key = "store: ";
	if (!line.starts_with(key) || !line.ends_with('\n') || line.find('\n') != line.size() - 1)
		throw Error(quote(dig) + " is neither a store nor a line 'store: PATH'");
	line = line.substr(key.size(), line.size() - key.size() - 1);
	if (line.empty())
		throw Error(quote(dig) + " names no store");
	return line[0] == '/' ? std::string(line) : directory_of(dig) + "/" + std::string(line);
}

// What the directory is called from top; empty for top itself and for what is elsewhere.
static std::string below(const std::string &directory, const std::string &top)
{
	if (directory == top)
		return "";
	if (top == "/")
		return directory.substr(1);
	return directory.compare(0, top.size() + 1, top + "/") == 0 ? directory.substr(top.size() + 1) : "";
}

// The first step to a store: the store itself, or the file that points to it.
struct Entrance {
	std::string path;
	std::string work_tree; // empty where there is none
};

static bool is_store(const std::string &directory)
{
	return find_stat(directory + "/format") && find_stat(directory + "/store-id") && find_stat(directory + "/layers");
}

static std::optional<Entrance> entrance_above(const std::string &here)
{
	for (fs::path at = here;; at = at.parent_path()) {
		const std::string dig = (at / ".dig").string();
		if (find_stat(dig))
			return Entrance{dig, at.string()};
		// A store without a work tree.  A .dig directory is found from the work tree around it.
		if (at.filename() != ".dig" && is_store(at.string()))
			return Entrance{at.string(), ""};
		if (at == at.root_path())
			return {};
	}
}

static std::optional<Entrance> find_entrance(const std::string &here)
{
	std::string store = environment("DIG_DIR");
	while (store.size() > 1 && store.ends_with('/'))
		store.pop_back();
	if (store.empty())
		return entrance_above(here);
	if (!find_stat(store))
		return {};
	const std::string path = resolved_path(store);
	return Entrance{store[0] == '/' ? store : here + "/" + store,
		fs::path(path).filename() == ".dig" ? directory_of(path) : here};
}

// The store that the entrance leads to.  The owner of each step is checked before the step is read.
static std::string followed(const Entrance &from)
{
	// Who trusts a work tree trusts the .dig in it, but not a store that a variable names.
	const OwnerCheck owners(from.path.ends_with("/.dig") ? directory_of(from.path) : "");
	owners.require(from.path);
	std::string store = follow(from.path);
	if (!find_stat(store))
		throw NoStoreError(quote(from.path) + " names the store " + quote(store) + ", which is not there");
	owners.require(store);
	if (const std::string staging = environment("DIG_STAGING_DIR"); !staging.empty())
		owners.require(staging[0] == '/' ? staging : current_directory() + "/" + staging);
	return store;
}

std::optional<StorePaths> find_store()
{
	const std::string here = current_directory(), tree = environment("DIG_WORK_TREE");
	std::optional<Entrance> entrance = find_entrance(here);
	if (!entrance)
		return {};
	StorePaths paths;
	if (!tree.empty())
		entrance->work_tree = resolved_path(tree);
	paths.store = followed(*entrance);
	if (!environment("DIG_DIR").empty())
		paths.store = resolved_path(paths.store);
	paths.work_tree = entrance->work_tree;
	if (!paths.work_tree.empty())
		paths.prefix = below(here, paths.work_tree);
	return paths;
}

StorePaths get_store()
{
	if (std::optional<StorePaths> paths = find_store())
		return *paths;
	throw NoStoreError("there is no store here or above; make one with 'dig init'");
}

std::optional<std::string> find_store_directory()
{
	const std::optional<StorePaths> paths = find_store();
	if (!paths)
		return {};
	return paths->store;
}

static void require_no_store(const std::string &work_tree)
{
	const std::string dig = work_tree + "/.dig";
	if (find_stat_at(AT_FDCWD, dig))
		throw Error("there is a store already: " + quote(dig));
}

// The file of one line that is .dig where the store is elsewhere.
static void publish_pointer(const StorePaths &paths)
{
	require_no_store(paths.work_tree);
	publish_file(paths.work_tree + "/.dig", bytes_of("store: " + paths.store + "\n"));
}

StorePaths create_store(const NewStore &parameters)
{
	make_directories(parameters.work_tree);
	StorePaths paths;
	paths.work_tree = resolved_path(parameters.work_tree);
	require_no_store(paths.work_tree);
	const std::string dig = paths.work_tree + "/.dig";
	if (parameters.store) {
		if (find_stat(*parameters.store + "/format"))
			throw Error("there is a store already: " + quote(*parameters.store) +
				"; '--attach' takes it for this work tree");
		make_directories(*parameters.store);
		paths.store = resolved_path(*parameters.store);
	} else {
		paths.store = dig;
		make_directory(dig);
	}
	for (const char *name : {"tags", "layers", "chunk-index", "staging", "tmp"})
		make_directory(paths.store + "/" + name);
	StoreFormat format;
	format.store_id = parameters.store_id ? *parameters.store_id : random_digest();
	format.chunking = parameters.chunking;
	const std::string id = to_hex(format.store_id) + "\n";
	publish_file(paths.store + "/store-id", bytes_of(id));
	if (!find_stat(paths.config()))
		publish_file(paths.config(), bytes_of("# Settings of this store; see dig-config(5).\n"));
	publish_file(paths.roots(), RootHistory().encoded());
	// The format comes last.  Without it a directory is no store, so that a crash leaves none.
	publish_file(paths.format(), format.encoded());
	if (parameters.store)
		publish_pointer(paths);
	sync_directory(directory_of(paths.store));
	sync_directory(paths.work_tree);
	return paths;
}

StorePaths attach_store(const std::string &work_tree, const std::string &store)
{
	if (!is_store(store))
		throw NoStoreError(quote(store) + " is no store; 'dig init --store=DIR' makes one");
	StorePaths paths;
	paths.store = resolved_path(store);
	OwnerCheck("").require(paths.store);
	make_directories(work_tree);
	paths.work_tree = resolved_path(work_tree);
	publish_pointer(paths);
	return paths;
}

} // namespace dig
