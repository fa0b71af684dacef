// Opens and creates only below a directory: no "..", no absolute path, and never through a
// symlink, also while somebody swaps directories for symlinks.
#ifndef DIG_BENEATH_H
#define DIG_BENEATH_H

#include <optional>

#include "libdig/os/file.h"

namespace dig {

// path is relative and may be longer than PATH_MAX.  The last component is not followed either.
// Throws SystemError, with ELOOP where a symlink stands in the way.
File open_beneath(const File &directory, const std::string &path, int flags, mode_t mode = 0666);

// The directory that path's last component lies in, opened; the component is what is left.
struct Parent {
	File directory;
	std::string name;
};
Parent open_parent_beneath(const File &directory, const std::string &path);

std::optional<FileStat> find_stat_beneath(const File &directory, const std::string &path);
std::string read_link_beneath(const File &directory, const std::string &path);

// Whether names in the directory may be made and removed, as far as its mode tells.
bool may_change(const File &directory);

bool make_directory_at(const File &parent, const std::string &name); // false when the name exists
void make_symlink_at(const File &parent, const std::string &name, const std::string &text);
void remove_at(const File &parent, const std::string &name, bool is_directory);
void rename_at(const File &parent, const std::string &from, const std::string &to);
// Of a symlink itself; false as of File::set_times().
bool set_link_times_at(const File &parent, const std::string &name, std::int64_t mtime_ns);

} // namespace dig

#endif
