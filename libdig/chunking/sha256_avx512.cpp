// SHA-256 in AVX-512: sixteen messages at once, one in each dword lane.
//
// The state's eight words and the last sixteen of the schedule stay in registers.  The rounds are
// unrolled at compile time, so that what is `a` in one is `b` in the next without a move.  Two
// orders decide the speed (4.5 GB/s without them, 5.6 with them; Zen 5, GCC 12):
//
// - a round makes the schedule's word for sixteen rounds later as soon as it has taken its own,
//   so that no round waits for its word;
// - the new `e` is (d + the early part of the sum) + the late part: one addition more in all, one
//   less in the chain from round to round.
//
// Messages have different lengths: a lane whose message ends takes the next one, and all lanes
// run for as many blocks as each of them has.  When no messages are left and too few lanes are
// busy, SHA-NI ends what those have begun.
#ifdef __x86_64__

// GCC 12 takes the deliberately undefined operand inside some intrinsics for a mistake.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "libdig/chunking/sha256_kernels.h"

// Per function, so that the file needs no compiler flags of its own.
#define DIG_TARGET gnu::target("avx512f,avx512bw")

namespace dig {

namespace {

constexpr std::size_t lanes = 16;

// Sixteen lanes take as long for a block each as SHA-NI does for nine blocks, where the CPU has units of
// 512 bits.  Fewer messages are not worth a look.
constexpr std::size_t least_beside_shani = 9;

struct Block {
	__m512i state[8];
	__m512i words[16];
};

[[DIG_TARGET, gnu::always_inline]] inline __m512i from_big_endian(__m512i words)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order));
}

[[DIG_TARGET, gnu::always_inline]] inline __m128i load_quarter(const std::uint8_t *from)
{
	return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
}

// Sixteen bytes of every fourth message.
[[DIG_TARGET, gnu::always_inline]] inline __m512i load_quarters(const std::uint8_t *const next[],
	std::size_t offset)
{
	__m512i v = _mm512_castsi128_si512(load_quarter(next[0] + offset));
	v = _mm512_mask_broadcast_i32x4(v, 0x00f0, load_quarter(next[4] + offset));
	v = _mm512_mask_broadcast_i32x4(v, 0x0f00, load_quarter(next[8] + offset));
	return _mm512_mask_broadcast_i32x4(v, 0xf000, load_quarter(next[12] + offset));
}

// Four words of every message, turned so that a vector holds the same word of all.
template <std::size_t i>
[[DIG_TARGET, gnu::always_inline]] inline void load_words(Block &block,
	const std::uint8_t *const next[], std::size_t offset)
{
	const __m512i a = load_quarters(next, offset), b = load_quarters(next + 1, offset);
	const __m512i c = load_quarters(next + 2, offset), d = load_quarters(next + 3, offset);
	const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
	const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
	block.words[i] = from_big_endian(_mm512_unpacklo_epi64(ab_low, cd_low));
	block.words[i + 1] = from_big_endian(_mm512_unpackhi_epi64(ab_low, cd_low));
	block.words[i + 2] = from_big_endian(_mm512_unpacklo_epi64(ab_high, cd_high));
	block.words[i + 3] = from_big_endian(_mm512_unpackhi_epi64(ab_high, cd_high));
}

[[DIG_TARGET, gnu::always_inline]] inline __m512i add(__m512i a, __m512i b)
{
	return _mm512_add_epi32(a, b);
}

[[DIG_TARGET, gnu::always_inline]] inline __m512i exclusive_or(__m512i a, __m512i b, __m512i c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

// FIPS 180-4's capital sigmas and small sigmas.
template <int x, int y, int z>
[[DIG_TARGET, gnu::always_inline]] inline __m512i rotations(__m512i a)
{
	return exclusive_or(_mm512_ror_epi32(a, x), _mm512_ror_epi32(a, y), _mm512_ror_epi32(a, z));
}

template <int x, int y, int z>
[[DIG_TARGET, gnu::always_inline]] inline __m512i rotations_and_shift(__m512i a)
{
	return exclusive_or(_mm512_ror_epi32(a, x), _mm512_ror_epi32(a, y), _mm512_srli_epi32(a, z));
}

// Makes the word of round i into that of round i + 16.
template <std::size_t i>
[[DIG_TARGET, gnu::always_inline]] inline void extend_schedule(Block &block)
{
	__m512i &word = block.words[i % 16];
	const __m512i small_0 = rotations_and_shift<7, 18, 3>(block.words[(i + 1) % 16]);
	const __m512i small_1 = rotations_and_shift<17, 19, 10>(block.words[(i + 14) % 16]);
	word = add(add(word, block.words[(i + 9) % 16]), add(small_0, small_1));
}

template <std::size_t i>
[[DIG_TARGET, gnu::always_inline]] inline void one_round(Block &block,
	const std::uint32_t *constants)
{
	const __m512i a = block.state[(0 - i) % 8], b = block.state[(1 - i) % 8];
	const __m512i c = block.state[(2 - i) % 8], e = block.state[(4 - i) % 8];
	const __m512i f = block.state[(5 - i) % 8], g = block.state[(6 - i) % 8];
	__m512i &d = block.state[(3 - i) % 8], &h = block.state[(7 - i) % 8];
	const __m512i constant = _mm512_set1_epi32(static_cast<int>(constants[i]));
	const __m512i input = add(add(h, block.words[i % 16]), constant);
	if constexpr (i < 48)
		extend_schedule<i>(block);
	const __m512i late = rotations<6, 11, 25>(e);
	const __m512i choice = _mm512_ternarylogic_epi32(e, f, g, 0xca);
	const __m512i early = add(input, choice);
	const __m512i majority = _mm512_ternarylogic_epi32(a, b, c, 0xe8);
	h = add(add(early, late), add(rotations<2, 13, 22>(a), majority));
	d = add(add(d, early), late);
}

template <std::size_t... i>
[[DIG_TARGET, gnu::always_inline]] inline void all_rounds(Block &block,
	const std::uint32_t *constants, std::index_sequence<i...>)
{
	(one_round<i>(block, constants), ...);
}

using State = std::uint32_t[8][lanes];

// `count` blocks of every message.
[[DIG_TARGET]] void compress(State &state, const std::uint8_t *const next[],
	std::size_t count)
{
	// Unknown to the compiler, so that it leaves the constants in memory, where each is part of
	// an addition, and does not make each from an immediate.
	const std::uint32_t *constants = sha256_constants;
	asm("" : "+r"(constants));
	Block block;
#pragma GCC unroll 8
	for (std::size_t i = 0; i < 8; i++)
		block.state[i] = _mm512_load_si512(state[i]);
	for (std::size_t offset = 0; offset < count * sha256_block; offset += sha256_block) {
		load_words<0>(block, next, offset);
		load_words<4>(block, next, offset + 16);
		load_words<8>(block, next, offset + 32);
		load_words<12>(block, next, offset + 48);
		all_rounds(block, constants, std::make_index_sequence<64>());
#pragma GCC unroll 8
		for (std::size_t i = 0; i < 8; i++) {
			block.state[i] = add(block.state[i], _mm512_load_si512(state[i]));
			_mm512_store_si512(state[i], block.state[i]);
		}
	}
}

class Lanes {
public:
	explicit Lanes(std::span<const HashJob> jobs) : jobs_(jobs)
	{
		for (std::size_t lane = 0; lane < lanes; lane++)
			begin(lane);
	}

	std::size_t busy_count() const { return static_cast<std::size_t>(__builtin_popcount(busy_)); }

	// As far as all lanes go together.
	void run()
	{
		const std::uint8_t *next[lanes];
		const std::size_t somewhere = static_cast<std::size_t>(__builtin_ctz(busy_));
		std::size_t count = SIZE_MAX;
		for (std::size_t lane = 0; lane < lanes; lane++) {
			const Sha256Stream &stream = streams_[is_busy(lane) ? lane : somewhere];
			next[lane] = stream.next;
			count = std::min(count, stream.blocks);
		}
		compress(state_, next, count);
		for (std::size_t lane = 0; lane < lanes; lane++) {
			if (is_busy(lane))
				go_on(lane, count);
		}
	}

	// Ends without these lanes what they have begun, the longest first, so that none of them is
	// left over to run alone.
	void end()
	{
		Sha256Stream *begun[lanes];
		std::size_t count = 0;
		for (std::size_t lane = 0; lane < lanes; lane++) {
			if (!is_busy(lane))
				continue;
			store_state(lane);
			begun[count++] = &streams_[lane];
		}
		if (count == 0 && jobs_.empty())
			return;
		std::sort(begun, begun + count, [](const Sha256Stream *one, const Sha256Stream *other) {
			return one->blocks > other->blocks;
		});
		sha256_finish_shani({begun, count}, jobs_);
	}

private:
	bool is_busy(std::size_t lane) const { return busy_ >> lane & 1; }

	void begin(std::size_t lane)
	{
		busy_ &= ~(1u << lane);
		if (jobs_.empty())
			return;
		busy_ |= 1u << lane;
		streams_[lane].begin(jobs_.front());
		jobs_ = jobs_.subspan(1);
		for (std::size_t i = 0; i < 8; i++)
			state_[i][lane] = streams_[lane].state[i];
	}

	void go_on(std::size_t lane, std::size_t count)
	{
		Sha256Stream &stream = streams_[lane];
		stream.take(count);
		if (stream.blocks != 0 || stream.has_more())
			return;
		store_state(lane);
		stream.store_digest();
		begin(lane);
	}

	void store_state(std::size_t lane)
	{
		for (std::size_t i = 0; i < 8; i++)
			streams_[lane].state[i] = state_[i][lane];
	}

	alignas(64) State state_;
	Sha256Stream streams_[lanes];
	unsigned busy_ = 0;
	std::span<const HashJob> jobs_;
};

} // namespace

void sha256_in_avx512_lanes(std::span<const HashJob> jobs, std::size_t enough)
{
	if (jobs.size() < enough)
		return sha256_finish_shani({}, jobs);
	Lanes all(jobs);
	while (all.busy_count() >= enough)
		all.run();
	all.end();
}

// Nanoseconds for so many messages of a KiB, at best.
static double time_of(std::size_t count, const std::function<void(std::span<const HashJob>)> &many)
{
	using Clock = std::chrono::steady_clock;
	static const Buffer message(1024);
	std::array<Digest, lanes> digests;
	std::vector<HashJob> jobs;
	for (std::size_t i = 0; i < count; i++)
		jobs.push_back({message, &digests[i]});
	Clock::duration best = Clock::duration::max();
	for (int run = 0; run < 3; run++) {
		const Clock::time_point began = Clock::now();
		many(jobs);
		best = std::min(best, Clock::now() - began);
	}
	return std::chrono::duration<double, std::nano>(best).count();
}

// On some CPUs SHA-NI is faster than sixteen lanes (Zen 4: 3.6 GB/s against 3.3), on others they are
// nearly twice as fast.  No flag tells it, so each process that hashes many messages looks once: this
// takes 30 microseconds.
static std::size_t enough_beside_shani()
{
	static const std::size_t enough = [] {
		using Jobs = std::span<const HashJob>;
		const double in_lanes = time_of(lanes, [](Jobs jobs) { sha256_in_avx512_lanes(jobs, 1); });
		const double each = time_of(lanes, [](Jobs jobs) { sha256_finish_shani({}, jobs); }) / lanes;
		return std::max(least_beside_shani, static_cast<std::size_t>(1.05 * in_lanes / each) + 1);
	}();
	return enough;
}

void sha256_many_avx512(std::span<const HashJob> jobs)
{
	const bool beside = has_shani();
	if (beside && jobs.size() < least_beside_shani)
		return sha256_finish_shani({}, jobs);
	sha256_in_avx512_lanes(jobs, beside ? enough_beside_shani() : 1);
}

} // namespace dig

#endif
