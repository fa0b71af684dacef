#include "libdig/command.h"
#include "libdig/path.h"
#include "libdig/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-rm [-f] [--cached] PATH...";

// Removes a file and the directories above it that are empty then.
static void remove_from_work_tree(const File &root, const std::string &path, bool is_directory)
{
	try {
		Parent parent = open_parent_beneath(root, path);
		remove_at(parent.directory, parent.name, is_directory);
		for (std::size_t slash = path.rfind('/'); slash != path.npos; slash = path.rfind('/', slash - 1)) {
			parent = open_parent_beneath(root, path.substr(0, slash));
			remove_at(parent.directory, parent.name, true);
			if (slash == 0)
				break;
		}
	} catch (const SystemError &error) {
		// Not there any more, or not empty: both are fine.
		if (error.error() != ENOENT && error.error() != ENOTEMPTY && error.error() != EEXIST)
			throw;
	}
}

static int rm(Options &options)
{
	bool force = false, cached = false;
	std::vector<std::string> typed;
	options.flag("force", 'f', force, "also what has changed since it was added")
		.flag("cached", 0, cached, "from the index only")
		.positional(typed, 1)
		.parse();
	Store store(get_store());
	Stage stage(store, {});
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(normalised_path(path, store.paths().prefix, store.paths().work_tree));
	if (!force && !cached) {
		std::string changed;
		diff_work(store, stage.index(), paths, [&](Difference difference, const std::string &path) {
			if (difference == Difference::modified || difference == Difference::type_changed)
				changed += (changed.empty() ? "" : ", ") + quote(path);
		});
		if (!changed.empty())
			throw Error(changed + " changed since it was added; -f removes it all the same, --cached keeps the file");
	}
	std::vector<std::pair<std::string, bool>> removed;
	for (std::size_t i = 0; i < paths.size(); i++) {
		bool is_tracked = false;
		IndexCursor at = stage.cursor();
		for (const std::string &from : {paths[i], paths[i].empty() ? paths[i] : paths[i] + "/"})
			for (at.seek(from); at.current() && is_within(at.current()->entry.path, paths[i]); at.next()) {
				if (at.current()->is_removed)
					continue;
				is_tracked = true;
				removed.emplace_back(at.current()->entry.path,
					at.current()->entry.kind == EntryKind::empty_directory);
			}
		if (!is_tracked)
			throw Error(quote(typed[i]) + " is not in the index");
	}
	for (const auto &[path, is_directory] : removed)
		stage.remove(path);
	stage.finish();
	if (cached)
		return exit_status::done;
	const File root = File::open_with(store.paths().work_tree, O_RDONLY | O_DIRECTORY);
	for (auto at = removed.rbegin(); at != removed.rend(); ++at)
		remove_from_work_tree(root, at->first, at->second);
	return exit_status::done;
}

int main(int argc, char **argv) { return run(argc, argv, usage, rm); }
