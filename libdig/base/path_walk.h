// Walks over the entry at a path and over all that is below it, in a sequence that is ordered by
// path.
//
// "a-b" and "a.b" lie between "a" and "a/b", because '-' and '.' are less than '/'.  So a loop that
// starts at "a" and stops at the first path that is not within "a" misses "a/b" wherever "a-b" is
// there.  These two templates take both steps.  They serve every cursor that has the members of
// PathCursor: that of the index (staging/index) and that of a manifest (format/search_tree).
#ifndef DIG_PATH_WALK_H
#define DIG_PATH_WALK_H

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include "libdig/base/path.h"

namespace dig {

template <typename Cursor>
concept PathCursor = requires(Cursor at, std::string_view path) {
	// Goes to the first element whose path is equal to path or behind it.
	at.seek(path);
	{ at.at_end() } -> std::convertible_to<bool>;
	// These two only when not at_end().
	{ at.path() } -> std::convertible_to<std::string_view>;
	at.next();
};

// Calls found(at) with the cursor at each element below path, in order.  An empty path stands for
// the whole sequence.  If found returns bool, false ends the walk; the cursor stays where it is
// then.  found may not move the cursor.
template <PathCursor Cursor, typename Found>
void each_below(Cursor &&at, std::string_view path, Found &&found)
{
	for (at.seek(path.empty() ? std::string() : std::string(path) + '/');
		!at.at_end() && is_within(at.path(), path); at.next()) {
		if constexpr (std::is_void_v<decltype(found(at))>)
			found(at);
		else if (!found(at))
			return;
	}
}

// The same, with the element at path itself before what is below it.  The two are not neighbours:
// other paths may lie between them, and are passed over.
template <PathCursor Cursor, typename Found>
void each_within(Cursor &&at, std::string_view path, Found &&found)
{
	if (!path.empty()) {
		at.seek(path);
		if (!at.at_end() && at.path() == path) {
			if constexpr (std::is_void_v<decltype(found(at))>)
				found(at);
			else if (!found(at))
				return;
		}
	}
	each_below(at, path, found);
}

} // namespace dig

#endif
