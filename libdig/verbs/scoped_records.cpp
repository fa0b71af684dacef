#include "libdig/verbs/scoped_records.h"

#include <algorithm>

#include "libdig/base/path.h"

namespace dig {

void ScopedRecords::add_scope(const std::string &path)
{
	scopes_.push_back(path);
	starts_.push_back(path);
	// The records of a scope lie in two stretches, since "a-b" lies between "a" and "a/b".
	if (!path.empty())
		starts_.push_back(path + "/");
	is_sorted_ = false;
}

// The path or a directory above it is a scope: one binary search for each component.
bool ScopedRecords::is_in_scope(std::string_view path) const
{
	const auto is_scope = [&](std::string_view of) {
		return std::binary_search(scopes_.begin(), scopes_.end(), of, std::less<>());
	};
	if (is_scope("") || is_scope(path))
		return true;
	for (std::size_t end = path.find('/'); end != path.npos; end = path.find('/', end + 1))
		if (is_scope(path.substr(0, end)))
			return true;
	return false;
}

// Jumps over what lies in no scope.  False where no scope begins behind the path.
bool ScopedRecords::go_to_scope_behind(const std::string &path)
{
	const auto next = std::upper_bound(starts_.begin(), starts_.end(), path);
	if (next == starts_.end())
		return false;
	at_.seek(*next);
	return true;
}

void ScopedRecords::pass_over(std::optional<std::string_view> position,
	const std::function<void(const IndexRecord &)> &passed)
{
	if (!is_sorted_) {
		std::sort(scopes_.begin(), scopes_.end());
		std::sort(starts_.begin(), starts_.end());
		is_sorted_ = true;
	}
	while (!is_at_end_ && at_.current() && (!position || at_.current()->entry.path < *position)) {
		const IndexRecord &record = *at_.current();
		if (!is_in_scope(record.entry.path)) {
			is_at_end_ = !go_to_scope_behind(std::string(record.entry.path));
			continue;
		}
		if (!record.is_removed)
			passed(record);
		at_.next();
	}
}

const IndexRecord *ScopedRecords::current(std::string_view path) const
{
	const IndexRecord *record = at_.current();
	return record && !record->is_removed && record->entry.path == path ? record : nullptr;
}

void ScopedRecords::skip(std::string_view path)
{
	if (at_.current() && at_.current()->entry.path == path)
		at_.next();
}

void ScopedRecords::skip_within(std::string_view path)
{
	while (at_.current() && is_within(at_.current()->entry.path, path))
		at_.next();
}

} // namespace dig
