// Names of states: HEAD, @5, the digits of a root, a tag, a time; Store::resolve() knows them all.  And
// ROOT:PATH, which names a path of a state.
#ifndef DIG_STATE_NAMES_H
#define DIG_STATE_NAMES_H

#include <optional>
#include <string>
#include <string_view>

namespace dig {

struct StatePath {
	std::string state; // "HEAD" where the text begins with ':'
	std::string path;  // as it was typed
};

// ROOT:PATH, divided at the first ':' that is not in the braces of HEAD@{2026-11-01 12:30}.  Nothing if
// there is none.
std::optional<StatePath> split_state_path(std::string_view name);

} // namespace dig

#endif
