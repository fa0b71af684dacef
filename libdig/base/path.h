// Stored paths: bytes, '/' between components, relative to the work tree, ordered by memcmp of
// the whole path.
#ifndef DIG_PATH_H
#define DIG_PATH_H

#include <string>
#include <string_view>

namespace dig {

constexpr std::size_t max_path_size = 65535;
constexpr std::size_t max_component_size = 255;

// Why the path cannot be stored, or an empty view.  Refused are empty paths and components, a
// leading or trailing '/', "." and "..", NUL, sizes above the limits, and every component that
// a file system might take for ".dig": any case, trailing dots or spaces, "dig~1" and the like,
// ":stream" suffixes, and code points that HFS+ ignores.
std::string_view path_problem(std::string_view path);

// True for path itself and everything below it; an empty prefix covers all.
bool is_within(std::string_view path, std::string_view prefix);

// A path as typed, relative to directory (itself relative to the work tree), as a stored path:
// "." and ".." resolved by text.  An empty result is the work tree itself.  Throws Error when it
// leads out of the work tree.
std::string normalised_path(std::string_view typed, std::string_view directory,
	std::string_view work_tree);

} // namespace dig

#endif
