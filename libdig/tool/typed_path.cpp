// A typed path is compared with the work tree by its text first.  The text may differ although the
// place is the same: whoever came to the work tree through a symbolic link types the name of the
// link, and so does $PWD.  Resolving the whole path would be wrong, because a symbolic link inside
// of the work tree is an entry of its own, and a removed file cannot be resolved at all.  So only
// the part that leads to the work tree is resolved, and the rest is taken as it was typed.
#include "libdig/tool/typed_path.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"

namespace dig {

// True when ".." leads above a directory that lies so deep.
static bool leads_out(std::string_view text, std::size_t depth)
{
	for (std::size_t start = 0; start <= text.size();) {
		const std::size_t end = std::min(text.find('/', start), text.size());
		const std::string_view component = text.substr(start, end - start);
		if (component == ".." && depth-- == 0)
			return true;
		depth += !component.empty() && component != "." && component != "..";
		start = end + 1;
	}
	return false;
}

static std::size_t depth_of(std::string_view path)
{
	return path.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

static bool is_inside_by_text(const StorePaths &paths, std::string_view typed)
{
	if (typed.empty() || typed[0] != '/')
		return !leads_out(typed, depth_of(paths.prefix));
	return paths.work_tree == "/" ||
		(is_within(typed, paths.work_tree) && !leads_out(typed.substr(paths.work_tree.size()), 0));
}

// From the first directory on the way that is the work tree, or lies in it, the rest goes by its
// text, unless that leads out again.
static std::string through_links(const StorePaths &paths, const std::string &typed)
{
	const std::string whole = typed[0] == '/' ? typed : current_directory() + "/" + typed;
	for (std::size_t end = whole.find('/', 1);; end = whole.find('/', end + 1)) {
		const std::string above = whole.substr(0, end);
		if (!find_stat(above))
			return typed;
		const std::string real = resolved_path(above);
		const std::string rest = end == whole.npos ? "" : whole.substr(end);
		if (is_within(real, paths.work_tree) && !leads_out(rest, depth_of(real) - depth_of(paths.work_tree)))
			return real + rest;
		if (end == whole.npos)
			return typed;
	}
}

std::string stored_path(const StorePaths &paths, const std::string &typed)
{
	return normalised_path(is_inside_by_text(paths, typed) ? typed : through_links(paths, typed),
		paths.prefix, paths.work_tree);
}

std::string relative_path(std::string_view path, std::string_view directory)
{
	std::string shown;
	while (!is_within(path, directory)) {
		shown += "../";
		const std::size_t slash = directory.rfind('/');
		directory = directory.substr(0, slash == directory.npos ? 0 : slash);
	}
	shown += path.substr(directory.empty() ? 0 : std::min(path.size(), directory.size() + 1));
	if (!shown.empty())
		return shown;
	return path.ends_with('/') ? "./" : ".";
}

std::string relative_message(std::string message, std::string_view path, std::string_view directory)
{
	const std::string from_top = quote(path);
	if (const std::size_t at = message.find(from_top); at != message.npos)
		message.replace(at, from_top.size(), quote(relative_path(path, directory)));
	return message;
}

} // namespace dig
