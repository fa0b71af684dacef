// The files ".digignore" of a work tree, read where they lie.  What they mean is in ignore.
#ifndef DIG_IGNORE_FILES_H
#define DIG_IGNORE_FILES_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/os/beneath.h"
#include "libdig/worktree/ignore.h"

namespace dig {

// The content of the .digignore in a directory, if it has one that is a regular file.  path is that
// of the directory, for messages.
std::optional<Buffer> read_ignore_file(const File &directory, std::string_view path);

// Whether a path below root is ignored, or lies in a directory that is.  Directories that cannot be
// read have no rules.
bool is_ignored(const File &root, const std::string &path, bool is_directory);

// The rules of the directories above a path, entered from root on.
IgnoreStack ignore_files_above(const File &root, const std::string &path);

} // namespace dig

#endif
