// dig restore: paths of the work tree as they are in a state.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/base/path_walk.h"
#include "libdig/os/beneath.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] =
	"dig-restore [-nq] [--at=ROOT] [--exact] [--in-place] [--sync]\n"
	"            [--progress[=WHEN]] [--metrics[=FILE]] PATH...";

// What --exact removes: paths that the index has and the state does not.  What nobody has added stays.
class Surplus {
public:
	Surplus(Store &store, const TreeRoot &state, const std::vector<std::string> &paths)
		: store_(store), state_(state), paths_(paths), index_(current_index(store)),
		  top_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY))
	{
	}

	// In order, those that lie in the work tree.
	void each(const std::function<void(const Entry &)> &take)
	{
		for (const std::string &path : paths_) {
			TreeCursor state(TreeKind::manifest, state_, store_.nodes());
			each_within(index_.cursor(), path, [&](const IndexCursor &at) {
				check_interrupted();
				const IndexRecord &record = *at.current();
				if (record.is_removed || has(state, record.entry.path) || !is_there(record.entry))
					return;
				take(record.entry);
			});
		}
	}

	// False when it had to stay.
	bool remove(const Entry &entry)
	{
		const bool is_directory = entry.kind == EntryKind::empty_directory;
		try {
			const Parent parent = open_parent_beneath(top_, entry.path);
			remove_at(parent.directory, parent.name, is_directory);
		} catch (const SystemError &error) {
			// A directory that has got something in it is not ours.
			if (is_directory && (error.error() == ENOTEMPTY || error.error() == EEXIST))
				return true;
			tell_error("cannot remove " + quote(entry.path) + ": " + std::strerror(error.error()));
			return false;
		}
		remove_empty_parents(top_, entry.path, store_.paths().prefix);
		return true;
	}

private:
	static bool has(TreeCursor &state, const std::string &path)
	{
		if (!state.at_end())
			state.seek(path);
		return !state.at_end() && state.path() == path;
	}

	bool is_there(const Entry &entry) const
	{
		try {
			const std::optional<FileStat> stat = find_stat_beneath(top_, entry.path);
			return stat && (stat->type == FileType::directory) == (entry.kind == EntryKind::empty_directory);
		} catch (const SystemError &error) {
			// A parent that is a symbolic link now leads to what is not ours.
			if (error.error() == ELOOP || error.error() == ENOTDIR || error.error() == ENOENT)
				return false;
			throw;
		}
	}

	Store &store_;
	TreeRoot state_;
	const std::vector<std::string> &paths_;
	Index index_;
	File top_;
};

// With --exact, a path that the state lacks is one of the index, and is removed.
static void require_paths(Store &store, const TreeRoot &state, const std::vector<std::string> &paths,
	const std::vector<std::string> &typed, const std::string &name, bool is_exact)
{
	for (std::size_t i = 0; i < paths.size(); i++)
		if (!paths[i].empty() && !has_path(state, store.nodes(), paths[i]) &&
			!(is_exact && has_path(current_index(store), paths[i])))
			throw Error(quote(typed[i]) + " is not in " + name + did_you_mean_path(state, store.nodes(), paths[i]));
}

// True when all that is too much is gone.
static bool remove_surplus(Surplus &surplus, bool is_dry, bool is_quiet)
{
	std::uint64_t count = 0;
	bool is_whole = true;
	surplus.each([&](const Entry &entry) {
		count++;
		if (is_dry) {
			standard_output().write("remove\t");
			standard_output().record_path(entry.path);
		} else {
			is_whole = surplus.remove(entry) && is_whole;
		}
	});
	if (count > 0 && !is_dry && !is_quiet)
		tell_summary(std::to_string(count) + (count == 1 ? " path" : " paths") + " removed");
	return is_whole;
}

static int restore(Options &options)
{
	std::string root = "HEAD";
	bool is_exact = false, is_dry = false, in_place = false, sync = false;
	std::vector<std::string> typed;
	Report report;
	report.add_to(options)
		.value("at", 0, root, "ROOT", "the state to take (HEAD)")
		.flag("exact", 0, is_exact, "also remove what was added and is not in the state")
		.flag("dry-run", 'n', is_dry, "say what would be written and removed")
		.flag("in-place", 0, in_place, "overwrite files where they differ")
		.flag("sync", 0, sync, "return when everything is on storage")
		.positional(typed, 1)
		.parse();
	Store store(get_store());
	raise_file_limit();
	const std::string work_tree = store.paths().get_work_tree();
	const TreeRoot state = store.manifest(store.resolve(root).generation);
	std::vector<std::string> paths, present;
	for (const std::string &path : typed)
		paths.push_back(stored_path(store.paths(), path));
	require_paths(store, state, paths, typed, root, is_exact);
	for (const std::string &path : paths)
		if (path.empty() || has_path(state, store.nodes(), path))
			present.push_back(path);
	bool is_whole = true;
	if (is_exact) {
		Surplus surplus(store, state, paths);
		is_whole = remove_surplus(surplus, is_dry, options.is_quiet());
	}
	if (is_dry) {
		for (const std::string &path : present)
			each_within(TreeCursor(TreeKind::manifest, state, store.nodes()), path, [&](const TreeCursor &at) {
				standard_output().write("write\t");
				standard_output().record_path(at.path());
			});
		return exit_status::done;
	}
	if (present.empty())
		return is_whole ? exit_status::done : exit_status::partial;
	Command checkout = tool_command("checkout-root");
	checkout.push_back("--force");
	for (const auto &[option, is_given] : {std::pair("--in-place", in_place), std::pair("--sync", sync)})
		if (is_given)
			checkout.push_back(option);
	report.pass_on(checkout);
	if (!options.is_quiet())
		checkout.push_back("--summary");
	// As an absolute path: the command may run in a directory below.
	checkout.insert(checkout.end(), {"--", root, work_tree});
	// The work tree itself stands for all paths.
	if (std::find(present.begin(), present.end(), "") == present.end())
		checkout.insert(checkout.end(), present.begin(), present.end());
	const int status = Child(checkout).wait_for_part();
	return status == exit_status::done && !is_whole ? exit_status::partial : status;
}

int dig_restore_main(int argc, char **argv) { return run(argc, argv, usage, restore); }
