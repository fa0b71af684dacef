#include "libdig/verbs/place_check.h"

#include <algorithm>

#include "libdig/base/path.h"

namespace dig {

bool PlaceCheck::Place::seek(const std::string &path)
{
	if (!cursor || path < last)
		cursor.emplace(TreeKind::manifest, manifest, store.nodes());
	last = path;
	cursor->seek(path);
	return !cursor->at_end();
}

void PlaceCheck::check(const std::string &path)
{
	check_above(path);
	last_ = path;
	if (!is_first_ && below_.seek(path + "/") && is_within(below_.cursor->path(), path))
		fail(path, std::string(below_.cursor->path()));
}

static std::size_t common_length(std::string_view a, std::string_view b)
{
	return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// A path may have 32,767 directories above it, so that not each of them is looked up: an entry
// that was found tells of all directories before it.
void PlaceCheck::check_above(const std::string &path)
{
	// What stands above the last path as well was looked up for that one.
	std::size_t end = path.find('/', common_length(last_, path));
	while (end != path.npos && above_.seek(path.substr(0, end))) {
		const std::string_view found = above_.cursor->path();
		const std::size_t common = common_length(found, path);
		if (common == found.size() && common < path.size() && path[common] == '/')
			fail(std::string(found), path);
		if (common == path.size() || (common < found.size() && path[common] < found[common]))
			return;
		end = path.find('/', std::max(common, end + 1));
	}
}

void PlaceCheck::fail(const std::string &above, const std::string &path) const
{
	throw CorruptError("@" + std::to_string(generation_) + " has " + quote(path) + " below " + quote(above) +
		", which is no directory");
}

} // namespace dig
