#include "libdig/verbs/near_paths.h"

#include "libdig/base/path_walk.h"
#include "libdig/base/suggestion.h"
#include "libdig/os/beneath.h"
#include "libdig/os/directory.h"

namespace dig {

// Of a directory, so many names are compared with the mistyped one.  It bounds time and memory.
constexpr std::size_t most_names = 2000;

bool has_path(const Index &index, const std::string &path)
{
	bool is_there = false;
	each_within(index.cursor(), path, [&](const IndexCursor &at) {
		is_there = !at.current()->is_removed;
		return !is_there;
	});
	return is_there;
}

bool has_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path)
{
	bool is_there = false;
	each_within(TreeCursor(TreeKind::manifest, manifest, nodes), path, [&](const TreeCursor &) {
		is_there = true;
		return false;
	});
	return is_there;
}

// The names in a directory, from a sequence of paths in order.  find returns the first path that is
// equal to the given one or behind it; nothing at the end.  Each name costs one search, however much is
// below it.
template <typename Find>
static std::vector<std::string> names_below(const std::string &directory, const Find &find)
{
	const std::string below = directory.empty() ? "" : directory + "/";
	std::vector<std::string> names;
	for (std::string from = below; names.size() < most_names;) {
		const std::optional<std::string> path = find(from);
		if (!path || !path->starts_with(below))
			break;
		names.push_back(path->substr(below.size(), path->find('/', below.size()) - below.size()));
		// A directory is passed over with everything in it: '0' is the byte after '/'.
		const bool is_directory = path->size() > below.size() + names.back().size();
		from = is_directory ? below + names.back() + "0" : *path + '\0';
	}
	return names;
}

std::string did_you_mean_path(const Index &index, const std::string &path)
{
	return did_you_mean_path(path, [&](const std::string &directory) {
		IndexCursor at = index.cursor();
		return names_below(directory, [&](const std::string &from) -> std::optional<std::string> {
			for (at.seek(from); at.current() && at.current()->is_removed;)
				at.next();
			return at.current() ? std::optional(at.current()->entry.path) : std::nullopt;
		});
	});
}

std::string did_you_mean_path(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path)
{
	return did_you_mean_path(path, [&](const std::string &directory) {
		TreeCursor at(TreeKind::manifest, manifest, nodes);
		return names_below(directory, [&](const std::string &from) -> std::optional<std::string> {
			at.seek(from);
			if (!at.at_end())
				at.settle();
			return at.at_end() ? std::nullopt : std::optional(std::string(at.path()));
		});
	});
}

std::string did_you_mean_path(const File &root, const std::string &path)
{
	return did_you_mean_path(path, [&](const std::string &directory) {
		std::vector<std::string> names;
		const std::optional<FileStat> stat = find_stat_beneath(root, directory.empty() ? "." : directory);
		if (!directory.empty() && (!stat || stat->type != FileType::directory))
			return names;
		const DirectoryList list = read_directory(directory.empty()
			? open_directory_at(root.fd(), ".")
			: open_beneath(root, directory, O_RDONLY | O_DIRECTORY));
		for (std::size_t i = 0; i < std::min(list.size(), most_names); i++)
			names.emplace_back(list.name(i));
		return names;
	});
}

bool has_path_anywhere(Store &store, const Index &index, const std::string &path)
{
	return path.empty() || has_path(index, path) ||
		find_stat_beneath(open_directory(store.paths().work_tree), path) ||
		(store.roots().size() > 0 && has_path(store.manifest(store.roots().size()), store.nodes(), path));
}

void check_paths_exist(Store &store, const Index &index, const std::vector<std::string> &paths,
	const std::vector<std::string> &typed)
{
	for (std::size_t i = 0; i < paths.size(); i++) {
		if (has_path_anywhere(store, index, paths[i]))
			continue;
		const std::string meant = did_you_mean_path(index, paths[i]);
		throw Error(quote(typed[i]) + " is neither in the work tree nor in the index" + (meant.empty()
			? did_you_mean_path(open_directory(store.paths().work_tree), paths[i]) : meant));
	}
}

} // namespace dig
