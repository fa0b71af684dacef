// CRC-32 by carry-less multiplication.
#ifndef DIG_DIGEST_CLMUL_H
#define DIG_DIGEST_CLMUL_H

#include "libdig/base/bytes.h"

namespace dig {

// Whether this processor has what fold_crc32() needs.
bool can_fold_crc32();

// The register of CRC-32 (not inverted) behind 64 bytes or more, a multiple of 16.  After Gopal et
// al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, in
// its bit-reflected form, with the constants given there for the polynomial of ISO 3309.
std::uint32_t fold_crc32(Bytes bytes, std::uint32_t before);

} // namespace dig

#endif
