// Gear in AVX-512: sixteen stripes of the segment side by side, one in each dword lane.
//
// The smallest piece of work is 16 bytes of each stripe.  They are woven into an order in which
// a vector holds the next four bytes of every stripe; looked up in the table, which lies in
// registers as four planes of 256 bytes (VPERMI2B finds 64 bytes among 128, so that two of them
// and a blend make a plane); and the planes woven into dwords again.  What comes out is the
// table's values for four steps of
//
//     hash = hash + hash + G[byte]
//
// in all stripes at once.  Only the smallest of each lane's four hashes is compared with the
// threshold.
//
// Both weaves, bytes to words and words to dwords, stay inside the 128-bit quarters of a vector.
// Loading puts stripe 4q + i into quarter q of vector i; with that lane n is stripe n, and no
// instruction is spent on crossing quarters.
#ifdef __x86_64__

// GCC 12 takes the deliberately undefined operand inside some intrinsics for a mistake.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "libdig/chunking/gear_kernels.h"

// Per function, so that the file needs no compiler flags of its own.
#define DIG_TARGET gnu::target("avx512f,avx512bw,avx512vbmi,bmi,popcnt")

namespace dig {

namespace {

constexpr std::size_t lanes = 16;
constexpr std::size_t piece = 16;

// Byte b of every table entry, for each b.
struct Planes {
	alignas(64) std::uint8_t bytes[4][256];

	Planes()
	{
		for (std::size_t i = 0; i < 4 * 256; i++)
			bytes[i / 256][i % 256] = static_cast<std::uint8_t>(gear_table[i % 256] >> i / 256 * 8);
	}
};

struct PlaneRegisters {
	__m512i quarter[4][4];
};

// Four vectors: of bytes 0-3, 4-7, 8-11, 12-15 of each stripe, or of four hashes in a row.
struct Four {
	__m512i v[4];
};

// Candidates as they are found.  The lanes of a store that lie beyond the last one are no more
// than rubbish for the next store to overwrite.
struct Found {
	static constexpr std::size_t room = 256;
	alignas(64) std::uint32_t keys[room + lanes];
	alignas(64) std::uint32_t hashes[room + lanes];
	std::size_t count = 0;
};

[[DIG_TARGET]] inline PlaneRegisters load_planes()
{
	static const Planes planes;
	PlaneRegisters registers;
	for (std::size_t b = 0; b < 4; b++) {
		for (std::size_t i = 0; i < 4; i++)
			registers.quarter[b][i] = _mm512_load_si512(&planes.bytes[b][64 * i]);
	}
	return registers;
}

[[DIG_TARGET, gnu::always_inline]] inline __m128i load_piece(const std::uint8_t *at)
{
	return _mm_loadu_si128(reinterpret_cast<const __m128i *>(at));
}

// A piece of every fourth stripe.
[[DIG_TARGET, gnu::always_inline]] inline __m512i load_pieces(const std::uint8_t *at,
	std::size_t stripe)
{
	__m512i v = _mm512_castsi128_si512(load_piece(at));
	v = _mm512_mask_broadcast_i32x4(v, 0x00f0, load_piece(at + 4 * stripe));
	v = _mm512_mask_broadcast_i32x4(v, 0x0f00, load_piece(at + 8 * stripe));
	return _mm512_mask_broadcast_i32x4(v, 0xf000, load_piece(at + 12 * stripe));
}

// In each quarter, four vectors of sixteen bytes become sixteen groups of their four bytes.
[[DIG_TARGET, gnu::always_inline]] inline Four weave(__m512i a, __m512i b, __m512i c, __m512i d)
{
	const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
	const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
	return {{
		_mm512_unpacklo_epi16(ab_low, cd_low),
		_mm512_unpackhi_epi16(ab_low, cd_low),
		_mm512_unpacklo_epi16(ab_high, cd_high),
		_mm512_unpackhi_epi16(ab_high, cd_high),
	}};
}

[[DIG_TARGET, gnu::always_inline]] inline Four load_stripes(const std::uint8_t *at,
	std::size_t stripe)
{
	return weave(load_pieces(at, stripe), load_pieces(at + stripe, stripe),
		load_pieces(at + 2 * stripe, stripe), load_pieces(at + 3 * stripe, stripe));
}

[[DIG_TARGET, gnu::always_inline]] inline __m512i look_up_plane(const __m512i quarter[4],
	__m512i bytes, __mmask64 upper)
{
	return _mm512_mask_blend_epi8(upper, _mm512_permutex2var_epi8(quarter[0], bytes, quarter[1]),
		_mm512_permutex2var_epi8(quarter[2], bytes, quarter[3]));
}

// The table's values of four bytes of every stripe.
[[DIG_TARGET, gnu::always_inline]] inline Four look_up(const PlaneRegisters &planes, __m512i bytes)
{
	const __mmask64 upper = _mm512_movepi8_mask(bytes);
	return weave(look_up_plane(planes.quarter[0], bytes, upper),
		look_up_plane(planes.quarter[1], bytes, upper),
		look_up_plane(planes.quarter[2], bytes, upper),
		look_up_plane(planes.quarter[3], bytes, upper));
}

[[DIG_TARGET, gnu::always_inline]] inline __m512i step(__m512i hash, __m512i value)
{
	return _mm512_add_epi32(_mm512_add_epi32(hash, hash), value);
}

[[DIG_TARGET, gnu::always_inline]] inline Four four_steps(__m512i hash, const Four &values)
{
	const __m512i first = step(hash, values.v[0]);
	const __m512i second = step(first, values.v[1]);
	const __m512i third = step(second, values.v[2]);
	return {{first, second, third, step(third, values.v[3])}};
}

[[DIG_TARGET, gnu::always_inline]] inline bool any_below(const Four &hashes, __m512i threshold)
{
	const __m512i least = _mm512_min_epu32(_mm512_min_epu32(hashes.v[0], hashes.v[1]),
		_mm512_min_epu32(hashes.v[2], hashes.v[3]));
	return _mm512_cmplt_epu32_mask(least, threshold) != 0;
}

// The lanes' hashes before their first bytes.
[[DIG_TARGET]] inline __m512i warm_up(const std::uint8_t *at, std::size_t stripe,
	const PlaneRegisters &planes)
{
	__m512i hash = _mm512_setzero_si512();
	for (std::size_t before = gear_window; before > 0; before -= piece) {
		const Four bytes = load_stripes(at - before, stripe);
		for (const __m512i &four : bytes.v)
			hash = four_steps(hash, look_up(planes, four)).v[3];
	}
	return hash;
}

// Keys are of the first of the four steps, and count up.
[[DIG_TARGET, gnu::always_inline]] inline void note(const Four &hashes, __m512i threshold,
	__m512i keys, Found &found)
{
#pragma GCC unroll 4
	for (const __m512i &hash : hashes.v) {
		const __mmask16 hits = _mm512_cmplt_epu32_mask(hash, threshold);
		_mm512_storeu_si512(found.keys + found.count, _mm512_maskz_compress_epi32(hits, keys));
		_mm512_storeu_si512(found.hashes + found.count, _mm512_maskz_compress_epi32(hits, hash));
		found.count += static_cast<std::size_t>(__builtin_popcount(hits));
		keys = _mm512_add_epi32(keys, _mm512_set1_epi32(1));
	}
}

// Out of line: a call between the steps would cost the registers that hold the planes.
[[gnu::noinline]] void empty(Found &found, std::vector<Candidate> &candidates)
{
	for (std::size_t i = 0; i < found.count; i++)
		candidates.push_back({found.keys[i], found.hashes[i]});
	found.count = 0;
}

// A StripedKernel's scan.
[[DIG_TARGET]] void scan(const std::uint8_t *at, std::size_t stripe,
	std::uint32_t threshold, std::vector<Candidate> &candidates)
{
	const PlaneRegisters planes = load_planes();
	const __m512i limit = _mm512_set1_epi32(static_cast<int>(threshold));
	const __m512i lane_numbers =
		_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	const __m512i first_keys = _mm512_mullo_epi32(lane_numbers, _mm512_set1_epi32(key_lane));
	__m512i hash = warm_up(at, stripe, planes);
	Found found;
	for (std::size_t end = 1; end <= stripe; at += piece) {
		const Four bytes = load_stripes(at, stripe);
#pragma GCC unroll 4
		for (std::size_t i = 0; i < 4; i++, end += 4) {
			const Four hashes = four_steps(hash, look_up(planes, bytes.v[i]));
			hash = hashes.v[3];
			if (__builtin_expect(any_below(hashes, limit), false)) {
				const __m512i key = _mm512_set1_epi32(static_cast<int>(end));
				if (found.count > Found::room - 4 * lanes)
					empty(found, candidates);
				note(hashes, limit, _mm512_add_epi32(first_keys, key), found);
			}
		}
	}
	empty(found, candidates);
}

} // namespace

void find_candidates_avx512(Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	find_candidates_striped({lanes, piece, 64, scan}, segment, threshold, candidates);
}

} // namespace dig

#endif
