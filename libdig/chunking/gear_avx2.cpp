// Gear in AVX2: eight stripes of the segment side by side, one in each dword lane.
//
// AVX2 has no instruction that looks bytes up in a table of 256 words: a gather takes longer than
// eight loads (1.6 against 5.2 GB/s on Zen 5).  So each byte is looked up by itself, by a load
// that fills a whole vector, and blends take one lane of each.  What is gained over the plain
// loop (3.6 GB/s) is that adding and comparing are done for eight positions at once; two or
// three interleaved plain loops gain nothing under GCC.
#ifdef __x86_64__

#include <immintrin.h>

#include "libdig/chunking/gear_kernels.h"

namespace dig {

namespace {

constexpr std::size_t lanes = 8;
constexpr std::size_t piece = 4;

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i look_up(std::uint8_t byte)
{
	return _mm256_set1_epi32(static_cast<int>(gear_table[byte]));
}

// The table's values of a byte of every stripe.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i look_up(const std::uint8_t *at,
	std::size_t stripe)
{
	const __m256i in01 = _mm256_blend_epi32(look_up(at[0]), look_up(at[stripe]), 0xaa);
	const __m256i in23 = _mm256_blend_epi32(look_up(at[2 * stripe]), look_up(at[3 * stripe]), 0xaa);
	const __m256i in45 = _mm256_blend_epi32(look_up(at[4 * stripe]), look_up(at[5 * stripe]), 0xaa);
	const __m256i in67 = _mm256_blend_epi32(look_up(at[6 * stripe]), look_up(at[7 * stripe]), 0xaa);
	return _mm256_blend_epi32(_mm256_blend_epi32(in01, in23, 0xcc),
		_mm256_blend_epi32(in45, in67, 0xcc), 0xf0);
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i step(__m256i hash,
	const std::uint8_t *at, std::size_t stripe)
{
	return _mm256_add_epi32(_mm256_add_epi32(hash, hash), look_up(at, stripe));
}

// AVX2 compares signed numbers only.  The hashes' top bits are flipped here, the limit's by the
// caller.
[[gnu::target("avx2"), gnu::always_inline]] inline bool any_below(__m256i hashes, __m256i limit)
{
	const __m256i flipped = _mm256_xor_si256(hashes, _mm256_set1_epi32(INT32_MIN));
	return _mm256_movemask_epi8(_mm256_cmpgt_epi32(limit, flipped)) != 0;
}

// Without a branch on each hash, which nobody could predict.  Out of line, since it is rarely
// called.
[[gnu::noinline]] void note(const std::uint32_t (&hashes)[piece][lanes], std::size_t first_end,
	std::uint32_t threshold, std::vector<Candidate> &candidates)
{
	Candidate found[piece * lanes];
	std::size_t count = 0;
	for (std::size_t i = 0; i < piece; i++) {
		for (std::size_t lane = 0; lane < lanes; lane++) {
			const std::size_t key = lane * key_lane + first_end + i;
			found[count] = {static_cast<std::uint32_t>(key), hashes[i][lane]};
			count += hashes[i][lane] < threshold;
		}
	}
	candidates.insert(candidates.end(), found, found + count);
}

[[gnu::target("avx2")]] __m256i warm_up(const std::uint8_t *at, std::size_t stripe)
{
	__m256i hash = _mm256_setzero_si256();
	for (std::size_t before = gear_window; before > 0; before--)
		hash = step(hash, at - before, stripe);
	return hash;
}

// A StripedKernel's scan.
[[gnu::target("avx2")]] void scan(const std::uint8_t *at, std::size_t stripe,
	std::uint32_t threshold, std::vector<Candidate> &candidates)
{
	const __m256i limit = _mm256_set1_epi32(static_cast<int>(threshold ^ 0x80000000));
	__m256i hash = warm_up(at, stripe);
	for (std::size_t done = 0; done < stripe; done += piece, at += piece) {
		const __m256i first = step(hash, at, stripe);
		const __m256i second = step(first, at + 1, stripe);
		const __m256i third = step(second, at + 2, stripe);
		hash = step(third, at + 3, stripe);
		const __m256i least = _mm256_min_epu32(_mm256_min_epu32(first, second),
			_mm256_min_epu32(third, hash));
		if (__builtin_expect(any_below(least, limit), false)) {
			alignas(32) std::uint32_t hashes[piece][lanes];
			_mm256_store_si256(reinterpret_cast<__m256i *>(hashes[0]), first);
			_mm256_store_si256(reinterpret_cast<__m256i *>(hashes[1]), second);
			_mm256_store_si256(reinterpret_cast<__m256i *>(hashes[2]), third);
			_mm256_store_si256(reinterpret_cast<__m256i *>(hashes[3]), hash);
			note(hashes, done + 1, threshold, candidates);
		}
	}
}

} // namespace

void find_candidates_avx2(Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	find_candidates_striped({lanes, piece, 64, scan}, segment, threshold, candidates);
}

} // namespace dig

#endif
