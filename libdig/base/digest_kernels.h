// Inside digest: CRC-32 by the processor's instructions.
#ifndef DIG_DIGEST_KERNELS_H
#define DIG_DIGEST_KERNELS_H

#include "libdig/base/bytes.h"

namespace dig {

// Whether this processor has what fold_crc32() needs.
bool can_fold_crc32();

// The register of CRC-32 (not inverted) behind 64 bytes or more, a multiple of 16.
std::uint32_t fold_crc32(Bytes bytes, std::uint32_t before);

} // namespace dig

#endif
