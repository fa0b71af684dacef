// Content from one file to another that does not pass through this process, where the kernel can do so.
#ifndef DIG_FILE_COPY_H
#define DIG_FILE_COPY_H

#include "libdig/os/file.h"

namespace dig {

// Lets to, which is empty, have all content of from without copying it, as XFS and Btrfs can (FICLONE).
// False if the file system cannot.
bool share_content(const File &from, const File &to);

// Copies size bytes.  Holes of from are holes in to, as far as its file system has them.  An Error if from
// ends before.  Throws Interrupted.
void copy_range(const File &from, std::uint64_t offset, std::uint64_t size, const File &to, std::uint64_t to_offset);

} // namespace dig

#endif
