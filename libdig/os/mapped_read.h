// Reading through a mapping, for performance.memory_map_threshold.
#ifndef DIG_MAPPED_READ_H
#define DIG_MAPPED_READ_H

#include "libdig/os/file.h"

namespace dig {

// Reads as File::read_at() does, through windows that are mapped during the call.  If the file is
// cut short meanwhile, the result ends early, as that of a read would.  For this, the first call
// installs a handler of SIGBUS, which acts on these copies only.  Throws a SystemError if the file
// cannot be mapped or read.  Any thread.
std::size_t read_mapped(const File &file, MutableBytes buffer, std::uint64_t offset);

} // namespace dig

#endif
