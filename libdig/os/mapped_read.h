// Reading through a mapping, for performance.memory_map_threshold.
#ifndef DIG_MAPPED_READ_H
#define DIG_MAPPED_READ_H

#include "libdig/os/file.h"

namespace dig {

// As File::read_at, through windows that are mapped for the time of the call.  A file that is cut short
// meanwhile ends early, as a read would: the first call puts a handler of SIGBUS in place, which
// concerns these copies only.  SystemError where the file cannot be mapped or read.  Any thread.
std::size_t read_mapped(const File &file, MutableBytes buffer, std::uint64_t offset);

} // namespace dig

#endif
