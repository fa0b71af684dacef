// Zeros: the content of holes, which is compared, hashed and written like other content but is
// nowhere in a file.
#ifndef DIG_ZEROS_H
#define DIG_ZEROS_H

#include "libdig/base/digest.h"

namespace dig {

constexpr std::size_t most_zeros = 16_MiB; // the largest chunk of the format

// size zero bytes, at most most_zeros.  All callers share them, and they take no memory.
Bytes zero_bytes(std::size_t size);

// True when all bytes are zero; bytes may not be empty.
bool is_zero(Bytes bytes);

// The digest of size zero bytes, at most most_zeros.  Computed once for each size and then
// remembered, since the zeros of a file come in few sizes.  Any thread.
Digest zero_digest(std::size_t size);

} // namespace dig

#endif
