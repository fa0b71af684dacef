// SHA-256 with the CPU's own instructions, several messages side by side.
//
// Two rounds (SHA256RNDS2) depend on the two before them.  They take four cycles and keep a unit
// busy for two, so that a second message could run in the gaps of the first, if each instruction
// started on time.  They do not: two messages reach 2.6 to 2.9 GB/s (Zen 5), depending on the
// order in which a compiler happens to leave the instructions.  With four there is always one
// whose turn it can be, and it is 3.3 GB/s of the 3.7 that the unit allows, although their state
// no longer fits into sixteen registers.
#ifdef __x86_64__

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "libdig/chunking/sha256_kernels.h"

// Per function, so that the file needs no compiler flags of its own.
#define DIG_TARGET gnu::target("sha,sse4.1,ssse3")

namespace dig {

namespace {

// The state's words in the arrangement that the instructions want.
struct Lane {
	__m128i abef, cdgh;
	__m128i abef_before, cdgh_before;
	__m128i words[4]; // the schedule's last sixteen
};

[[DIG_TARGET, gnu::always_inline]] inline __m128i load(const void *from)
{
	return _mm_loadu_si128(static_cast<const __m128i *>(from));
}

[[DIG_TARGET, gnu::always_inline]] inline Lane load_state(const Sha256Stream &stream)
{
	const __m128i badc = _mm_shuffle_epi32(load(stream.state), 0xb1);
	const __m128i hgfe = _mm_shuffle_epi32(load(stream.state + 4), 0x1b);
	Lane lane;
	lane.abef = _mm_alignr_epi8(badc, hgfe, 8);
	lane.cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
	return lane;
}

[[DIG_TARGET, gnu::always_inline]] inline void store_state(const Lane &lane, Sha256Stream &stream)
{
	const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1b);
	const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
	__m128i *const state = reinterpret_cast<__m128i *>(stream.state);
	_mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
}

[[DIG_TARGET, gnu::always_inline]] inline void begin_block(Lane &lane, const std::uint8_t *block)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	lane.abef_before = lane.abef;
	lane.cdgh_before = lane.cdgh;
	lane.words[0] = _mm_shuffle_epi8(load(block), big_endian);
	lane.words[1] = _mm_shuffle_epi8(load(block + 16), big_endian);
	lane.words[2] = _mm_shuffle_epi8(load(block + 32), big_endian);
	lane.words[3] = _mm_shuffle_epi8(load(block + 48), big_endian);
}

[[DIG_TARGET, gnu::always_inline]] inline void end_block(Lane &lane)
{
	lane.abef = _mm_add_epi32(lane.abef, lane.abef_before);
	lane.cdgh = _mm_add_epi32(lane.cdgh, lane.cdgh_before);
}

// Makes the words of rounds 4 i to 4 i + 3 into those of sixteen rounds later.
template <std::size_t i>
[[DIG_TARGET, gnu::always_inline]] inline void extend_schedule(__m128i (&words)[4])
{
	const __m128i last = words[(i + 3) % 4];
	const __m128i seven_ago = _mm_alignr_epi8(last, words[(i + 2) % 4], 4);
	const __m128i sum = _mm_sha256msg1_epu32(words[i % 4], words[(i + 1) % 4]);
	words[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(sum, seven_ago), last);
}

// Rounds 4 i to 4 i + 3.
template <std::size_t i, std::size_t count>
[[DIG_TARGET, gnu::always_inline]] inline void four_rounds(Lane (&lanes)[count])
{
	const __m128i *constants = reinterpret_cast<const __m128i *>(sha256_constants);
	__m128i input[count];
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		Lane &lane = lanes[k];
		input[k] = _mm_add_epi32(lane.words[i % 4], _mm_load_si128(constants + i));
		lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, input[k]);
	}
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		if constexpr (i < 12)
			extend_schedule<i>(lanes[k].words);
	}
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		const __m128i rest = _mm_shuffle_epi32(input[k], 0x0e);
		lanes[k].abef = _mm_sha256rnds2_epu32(lanes[k].abef, lanes[k].cdgh, rest);
	}
}

template <std::size_t count, std::size_t... i>
[[DIG_TARGET, gnu::always_inline]] inline void all_rounds(Lane (&lanes)[count],
	std::index_sequence<i...>)
{
	(four_rounds<i>(lanes), ...);
}

// As many blocks as every stream has.
template <std::size_t count> [[DIG_TARGET]] void compress(Sha256Stream *const streams[])
{
	Lane lanes[count];
	std::size_t blocks = SIZE_MAX;
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		lanes[k] = load_state(*streams[k]);
		blocks = std::min(blocks, streams[k]->blocks);
	}
	for (std::size_t offset = 0; offset < blocks * sha256_block; offset += sha256_block) {
#pragma GCC unroll 4
		for (std::size_t k = 0; k < count; k++)
			begin_block(lanes[k], streams[k]->next + offset);
		all_rounds(lanes, std::make_index_sequence<16>());
#pragma GCC unroll 4
		for (std::size_t k = 0; k < count; k++)
			end_block(lanes[k]);
	}
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		store_state(lanes[k], *streams[k]);
		streams[k]->take(blocks);
	}
}

} // namespace

void sha256_finish_shani(std::span<Sha256Stream *const> begun, std::span<const HashJob> jobs)
{
	static constexpr Sha256Compress *by_count[] = {compress<1>, compress<2>, compress<3>, compress<4>};
	sha256_finish(by_count, begun, jobs);
}

void sha256_many_shani(std::span<const HashJob> jobs) { sha256_finish_shani({}, jobs); }

} // namespace dig

#endif
