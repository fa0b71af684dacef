// Stored paths.  A path is bytes, relative to the work tree, with '/' between its components.
// Paths are ordered by memcmp of the whole path.
#ifndef DIG_PATH_H
#define DIG_PATH_H

#include <string>
#include <string_view>

namespace dig {

constexpr std::size_t max_path_size = 65535;
constexpr std::size_t max_component_size = 255;

// Why the path cannot be stored, or an empty view.  Refused are empty paths and components, a '/'
// at the beginning or the end, "." and "..", NUL, and sizes above the limits.  Refused is also
// every component that some file system takes for ".dig": with capital letters, dots or spaces at
// the end, as "dig~1", with a ":stream" behind it, or with code points that HFS+ ignores.
std::string_view path_problem(std::string_view path);

// True if path is prefix or lies below it.  Every path lies within the empty prefix.
bool is_within(std::string_view path, std::string_view prefix);

// The stored path for a path that was typed in directory, which is a stored path itself.  "." and
// ".." are resolved by text.  An empty result is the work tree itself.  Throws an Error if the path
// leads out of the work tree.
std::string normalised_path(std::string_view typed, std::string_view directory,
	std::string_view work_tree);

} // namespace dig

#endif
