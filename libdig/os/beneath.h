// Opens and creates files below a directory only: there is no "..", no absolute path, and no way
// through a symbolic link, even while somebody replaces directories by symbolic links.
#ifndef DIG_BENEATH_H
#define DIG_BENEATH_H

#include <optional>

#include "libdig/os/file.h"

namespace dig {

// path is relative and may be longer than PATH_MAX.  A symbolic link is not followed, not even as
// the last component: it is a SystemError with ELOOP.
File open_beneath(const File &directory, const std::string &path, int flags, mode_t mode = 0666);

// The directory that the last component of a path lies in, opened, and that component.
struct Parent {
	File directory;
	std::string name;
};
Parent open_parent_beneath(const File &directory, const std::string &path);

std::optional<FileStat> find_stat_beneath(const File &directory, const std::string &path);
std::string read_link_beneath(const File &directory, const std::string &path);

// Whether this process may create and remove names in the directory, as far as the mode tells.
bool may_change(const File &directory);

bool make_directory_at(const File &parent, const std::string &name); // false when the name exists
void make_symlink_at(const File &parent, const std::string &name, const std::string &text);
void remove_at(const File &parent, const std::string &name, bool is_directory);
// The directories on the way to path, as far as they are empty, and not that in which somebody stands, nor any
// above it; kept is its path.
void remove_empty_parents(const File &top, const std::string &path, std::string_view kept);
void rename_at(const File &parent, const std::string &from, const std::string &to);
// Sets the time of a symbolic link itself.  The result is that of File::set_times().
bool set_link_times_at(const File &parent, const std::string &name, std::int64_t mtime_ns);

} // namespace dig

#endif
