#include "libdig/command.h"
#include "libdig/near_paths.h"
#include "libdig/path.h"
#include "libdig/report.h"
#include "libdig/typed_path.h"
#include "libdig/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-rm [-f] [--cached] PATH...";

// An error names so many; 'dig status' has all.
constexpr std::uint64_t most_named = 20;

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

// What the index has at the path and below it, in the order of paths; how much that is.
static std::uint64_t each_within(const Index &index, const std::string &path, const std::function<void(const Entry &)> &take)
{
	std::uint64_t count = 0;
	IndexCursor at = index.cursor();
	const auto take_current = [&] {
		if (at.current()->is_removed)
			return;
		count++;
		take(at.current()->entry);
	};
	at.seek(path);
	if (at.current() && at.current()->entry.path == path)
		take_current();
	for (at.seek(path.empty() ? path : path + "/"); at.current() && is_within(at.current()->entry.path, path); at.next())
		take_current();
	return count;
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
		paths.push_back(stored_path(store.paths(), path));
	if (!force && !cached) {
		std::string changed;
		std::uint64_t count = 0;
		diff_work(store, stage.index(), paths, [&](Difference difference, const std::string &path) {
			if (difference != Difference::modified && difference != Difference::type_changed)
				return;
			if (++count <= most_named)
				changed += (changed.empty() ? "" : ", ") + quote(path);
		});
		if (count > most_named)
			changed += " and " + std::to_string(count - most_named) + " more";
		if (count > 0)
			throw Error(changed + " changed since it was added; -f removes it all the same, --cached keeps the file");
	}
	// As it was before: what is removed from it is removed from the work tree behind that.
	const Index before = stage.index();
	std::uint64_t files = 0, bytes = 0;
	for (std::size_t i = 0; i < paths.size(); i++) {
		const std::uint64_t found = each_within(before, paths[i], [&](const Entry &entry) { bytes += entry.size; });
		if (found == 0)
			throw Error(quote(typed[i]) + " is not in the index" + did_you_mean_path(before, paths[i]));
		files += found;
	}
	for (const std::string &path : paths)
		each_within(before, path, [&](const Entry &entry) { stage.remove(entry.path); });
	stage.finish();
	const std::string summary = counted(files, "file") + " removed, " + size_text(static_cast<double>(bytes));
	if (cached) {
		if (!options.is_quiet())
			tell_summary(summary + ", from the index only");
		return exit_status::done;
	}
	const File root = File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY);
	for (const std::string &path : paths)
		each_within(before, path, [&](const Entry &entry) {
			remove_from_work_tree(root, entry.path, entry.kind == EntryKind::empty_directory);
		});
	if (!options.is_quiet())
		tell_summary(summary);
	return exit_status::done;
}

int main(int argc, char **argv) { return run(argc, argv, usage, rm); }
