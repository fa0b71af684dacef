// CRC-32 with the instructions of ARMv8, which have the polynomial of ISO 3309.  Each takes eight
// bytes, depends on the one before it, and has its result after two or three cycles.  Several
// chains side by side would have to be put together; one is faster than all that is done with the
// bytes besides.
#ifdef __aarch64__

// Clang before 16 declares the instructions of a file's own flags only.
#if defined(__clang__) && !defined(__ARM_FEATURE_CRC32)
#define __ARM_FEATURE_CRC32 1
#endif

#include <arm_acle.h>
#include <sys/auxv.h>

#include "libdig/base/digest_kernels.h"

// Per function, so that the file needs no compiler flags of its own.
#ifdef __clang__
#define DIG_TARGET gnu::target("crc")
#else
#define DIG_TARGET gnu::target("+crc")
#endif

namespace dig {

bool can_fold_crc32() { return (::getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

[[DIG_TARGET]] std::uint32_t fold_crc32(Bytes bytes, std::uint32_t before)
{
	const std::uint8_t *at = bytes.data(), *const end = at + bytes.size();
#pragma GCC unroll 4
	for (; at != end; at += 16) {
		std::uint64_t words[2];
		std::memcpy(words, at, sizeof words);
		before = __crc32d(__crc32d(before, words[0]), words[1]);
	}
	return before;
}

} // namespace dig

#endif
