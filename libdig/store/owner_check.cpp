#include "libdig/store/owner_check.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/format/settings.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/file.h"
#include "libdig/os/publish.h"

namespace dig {

// Somebody who may write a store decides where content goes, and what dig takes for stored.  A file
// .dig that points to a store decides which store that is.  So a store in a directory that all users may
// write, as /tmp, must not be taken for one's own.  The check follows symbolic links itself, step by
// step, because each link is one more file with an owner.

// The store that a path lies in; empty when it lies in none.
static std::string store_around(std::string path)
{
	while (path.size() > 1 && path.starts_with('/')) {
		if (find_stat(path + "/format") && find_stat(path + "/store-id"))
			return path;
		path = directory_of(path);
	}
	return "";
}

std::string advice_on_owner(const SystemError &error)
{
	if (error.error() != EACCES && error.error() != EPERM)
		return "";
	const std::string store = store_around(error.path());
	if (store.empty())
		return "";
	const std::optional<FileStat> file = find_stat_at(AT_FDCWD, error.path());
	const std::optional<FileStat> stat = file ? file : find_stat(directory_of(error.path()));
	if (!stat || stat->owner == effective_user())
		return "";
	return "; it belongs to another user (" + std::to_string(stat->owner) +
		"), as what root makes in a store does; 'sudo chown -R USER " + shown_text(store) + "' gives it back";
}

constexpr int most_links = 40; // as the kernel has it

static std::optional<std::uint32_t> user_behind_sudo()
{
	const char *text = std::getenv("SUDO_UID");
	if (effective_user() != 0 || !text)
		return {};
	const std::string_view digits = text;
	std::uint32_t user = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), user);
	if (error != std::errc() || end != digits.data() + digits.size())
		return {};
	return user;
}

static bool is_trusted(std::uint32_t owner)
{
	return owner == effective_user() || owner == user_behind_sudo();
}

static std::string without_end_slash(std::string path)
{
	while (path.size() > 1 && path.ends_with('/'))
		path.pop_back();
	return path;
}

static std::string resolved_if_there(const std::string &path) { return find_stat(path) ? resolved_path(path) : path; }

// Itself, and not what it leads to where it is a link.
static std::string resolved_entry(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	return slash == path.npos || slash == 0 ? path : resolved_if_there(path.substr(0, slash)) + path.substr(slash);
}

// The one name of a place, without links and "..".  A link is not what it leads to: a stranger's may
// lead to what is safe.
static std::string name_of_place(const std::string &path)
{
	const std::optional<FileStat> stat = find_stat_at(AT_FDCWD, path);
	return stat && stat->type == FileType::symlink ? resolved_entry(path) : resolved_if_there(path);
}

// safe.directory names a place as the user sees it, perhaps by a link.
static bool speaks_for(const std::string &named, const std::string &place)
{
	if (named == "*" || named == "/*")
		return true;
	const bool is_all_below = named.ends_with("/*");
	const std::string plain = without_end_slash(named.substr(0, named.size() - is_all_below));
	const std::string ways[] = {plain, resolved_if_there(plain), resolved_entry(plain)};
	return std::any_of(std::begin(ways), std::end(ways),
		[&](const std::string &way) { return is_all_below ? is_within(place, way) : place == way; });
}

bool OwnerCheck::is_named_safe(const std::string &path) const
{
	const std::string place = name_of_place(path), tree = work_tree_.empty() ? place : resolved_if_there(work_tree_);
	const std::vector<std::string> safe = load_settings({}, {}).safe.directory;
	return std::any_of(safe.begin(), safe.end(),
		[&](const std::string &named) { return speaks_for(named, place) || speaks_for(named, tree); });
}

void OwnerCheck::require(const std::string &given) const
{
	const std::string path = without_end_slash(given);
	std::string at = path;
	for (int links = 0; links < most_links; links++) {
		const std::optional<FileStat> stat = find_stat_at(AT_FDCWD, at);
		if (!stat)
			return;
		if (!is_trusted(stat->owner) && !is_named_safe(at) && !is_named_safe(path)) {
			const std::string safe = work_tree_.empty() ? path : work_tree_;
			throw Error(quote(at) + " belongs to another user (" + std::to_string(stat->owner) +
				"); if you trust it, say\n  dig config --global safe.directory " + quote(safe));
		}
		if (stat->type != FileType::symlink)
			return;
		const std::string target = read_link_at(AT_FDCWD, at);
		at = target.starts_with('/') ? target : directory_of(at) + "/" + target;
	}
}

} // namespace dig
