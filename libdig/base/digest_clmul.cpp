// A CRC is the remainder of a long polynomial over GF(2), divided by the polynomial P of ISO 3309.
// Bytes far from the end can be moved nearer to it: 128 bits that stand d bits before other bits
// are multiplied by x^d mod P and added to them (XOR), and the remainder stays the same.  The
// product of 64 bits with a constant of 33 bits fits into 128 bits, so each half of a register has
// a product and a constant of its own.  One PCLMULQDQ is one product.
//
// A product depends on the one before it and takes several cycles.  So four registers fold 64 bytes
// at a time, each over a distance of 64 bytes, and the processor works on all four at once.  At the
// end they are folded into one, which takes 16 bytes at a time from there on.
//
// CRC-32 counts bits from the lowest one, so that all constants are bit-reflected.  After Gopal et
// al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, in
// its bit-reflected form, with the constants given there for the polynomial of ISO 3309.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "libdig/base/digest_kernels.h"

namespace dig {

#if defined(__x86_64__)

bool can_fold_crc32() { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }

#define DIG_CLMUL __attribute__((target("pclmul,sse4.1")))

DIG_CLMUL static inline __m128i load(const std::uint8_t *from)
{
	return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
}

// Moves 128 bits forward by the distance that the two constants stand for.
DIG_CLMUL static inline __m128i fold(__m128i value, __m128i constants)
{
	return _mm_xor_si128(_mm_clmulepi64_si128(value, constants, 0x00), _mm_clmulepi64_si128(value, constants, 0x11));
}

DIG_CLMUL std::uint32_t fold_crc32(Bytes bytes, std::uint32_t before)
{
	// x^(512+32) and x^(512-32), x^(128+32) and x^(128-32), and x^64, each mod P; then P itself and
	// the quotient of x^64 by P, for the reduction.
	const __m128i by_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
	const __m128i by_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
	const __m128i to_64 = _mm_set_epi64x(0, 0x0163cd6124);
	const __m128i barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);
	const __m128i low_halves = _mm_setr_epi32(-1, 0, -1, 0);
	const std::uint8_t *at = bytes.data(), *const end = at + bytes.size();
	__m128i a = _mm_xor_si128(load(at), _mm_cvtsi32_si128(static_cast<int>(before)));
	__m128i b = load(at + 16), c = load(at + 32), d = load(at + 48);
	for (at += 64; end - at >= 64; at += 64) {
		a = _mm_xor_si128(fold(a, by_64), load(at));
		b = _mm_xor_si128(fold(b, by_64), load(at + 16));
		c = _mm_xor_si128(fold(c, by_64), load(at + 32));
		d = _mm_xor_si128(fold(d, by_64), load(at + 48));
	}
	a = _mm_xor_si128(fold(a, by_16), b);
	a = _mm_xor_si128(fold(a, by_16), c);
	a = _mm_xor_si128(fold(a, by_16), d);
	for (; end - at >= 16; at += 16)
		a = _mm_xor_si128(fold(a, by_16), load(at));
	// 128 bits to 64, to 32 and a Barrett reduction.
	a = _mm_xor_si128(_mm_srli_si128(a, 8), _mm_clmulepi64_si128(a, by_16, 0x10));
	a = _mm_xor_si128(_mm_srli_si128(a, 4), _mm_clmulepi64_si128(_mm_and_si128(a, low_halves), to_64, 0x00));
	__m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(a, low_halves), barrett, 0x10);
	quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_halves), barrett, 0x00);
	return static_cast<std::uint32_t>(_mm_extract_epi32(_mm_xor_si128(a, quotient), 1));
}

#elif !defined(__aarch64__)

bool can_fold_crc32() { return false; }
std::uint32_t fold_crc32(Bytes, std::uint32_t before) { return before; }

#endif

} // namespace dig
