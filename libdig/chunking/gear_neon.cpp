// Gear in NEON: eight stripes of the segment side by side, in two vectors of four dword lanes.
//
// NEON has no gather, and its table instructions find a byte among 64: sixteen of them, of two to
// three cycles each on most cores, would look sixteen bytes up in the table's four planes.  So each
// byte is looked up by itself, by a load into a vector register.  What is gained over the plain
// loop is that adding and comparing are done for four positions at once, that one load brings eight
// bytes of a stripe, and that eight hashes do not wait for each other.  3.75 instructions a byte
// are left of 8:
//
//     0.125  load of eight bytes
//     1      byte taken out
//     1      load from the table
//     0.75   ZIP, until four values are one vector
//     0.5    hash + hash + value
//     0.375  least of 64 hashes, comparison, loop
//
// A model of the cores, llvm-mca's, makes that 0.80 cycles a byte instead of 2.0 (Neoverse N1) and
// 0.50 instead of 1.07 (Neoverse V1).  No core was at hand to measure this.  By the same model,
// these are slower:
//
// - plain loops, two or three of them interleaved, with a chain of CCMP instead of the vectors'
//   minimum: 4.3 instructions, and 1.06 and 0.79 cycles;
// - MLA for the two additions: 3.6 instructions, but it takes longer than both, and each hash waits
//   for the one before: 0.92 and 0.66 cycles;
// - BFXIL that puts a byte into an address, and a load into one lane: 3.2 instructions, but the
//   first can start once in a cycle only, and the second is two operations: 1.28 and 0.68 cycles.
#ifdef __aarch64__

#include <arm_neon.h>

#include "libdig/chunking/gear_kernels.h"

namespace dig {

namespace {

constexpr std::size_t lanes = 8;
constexpr std::size_t piece = 8; // the bytes that one load brings

// Of stripes 0 to 3 and of 4 to 7.
struct Hashes {
	uint32x4_t low, high;
};

// The next bytes of each stripe, the first one lowest.
struct Pieces {
	std::uint64_t of[lanes];
};

[[gnu::always_inline]] inline Pieces load_pieces(const std::uint8_t *at, std::size_t stripe)
{
	Pieces pieces;
#pragma GCC unroll 8
	for (std::size_t lane = 0; lane < lanes; lane++)
		std::memcpy(&pieces.of[lane], at + lane * stripe, piece);
	return pieces;
}

// The other lane is zero, which the load does anyway.
[[gnu::always_inline]] inline uint32x2_t look_up(const std::uint32_t *table, std::uint64_t word,
	std::size_t i)
{
	return vset_lane_u32(table[word >> 8 * i & 0xff], vdup_n_u32(0), 0);
}

// The table's values of byte i of four stripes.
[[gnu::always_inline]] inline uint32x4_t look_up(const std::uint32_t *table,
	const std::uint64_t *words, std::size_t i)
{
	return vcombine_u32(vzip1_u32(look_up(table, words[0], i), look_up(table, words[1], i)),
		vzip1_u32(look_up(table, words[2], i), look_up(table, words[3], i)));
}

[[gnu::always_inline]] inline uint32x4_t step(uint32x4_t hash, uint32x4_t value)
{
	return vaddq_u32(vaddq_u32(hash, hash), value);
}

[[gnu::always_inline]] inline Hashes step(const Hashes &hashes, const std::uint32_t *table,
	const Pieces &pieces, std::size_t i)
{
	return {step(hashes.low, look_up(table, pieces.of, i)),
		step(hashes.high, look_up(table, pieces.of + 4, i))};
}

[[gnu::always_inline]] inline uint32x4_t least_of(const Hashes &hashes)
{
	return vminq_u32(hashes.low, hashes.high);
}

// The lanes' hashes before their first bytes.
Hashes warm_up(const std::uint8_t *at, std::size_t stripe)
{
	Hashes hashes = {vdupq_n_u32(0), vdupq_n_u32(0)};
	for (std::size_t before = gear_window; before > 0; before -= piece) {
		const Pieces pieces = load_pieces(at - before, stripe);
		for (std::size_t i = 0; i < piece; i++)
			hashes = step(hashes, gear_table, pieces, i);
	}
	return hashes;
}

using Group = std::uint32_t[piece][lanes];

// 16 bits for each hash, all set or none.
[[gnu::always_inline]] inline uint16x8_t below(const std::uint32_t (&hashes)[lanes],
	uint32x4_t limit)
{
	const uint32x4_t low = vcltq_u32(vld1q_u32(hashes), limit);
	const uint32x4_t high = vcltq_u32(vld1q_u32(hashes + 4), limit);
	return vuzp1q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
}

// Bit 8 i + n for hash n of step i.
std::uint64_t hits_of(const Group &hashes, std::uint32_t threshold)
{
	const uint32x4_t limit = vdupq_n_u32(threshold);
	const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
	uint8x16_t quarters[4];
	for (std::size_t i = 0; i < 4; i++) {
		const uint8x16_t two_steps =
			vuzp1q_u8(vreinterpretq_u8_u16(below(hashes[2 * i], limit)),
				vreinterpretq_u8_u16(below(hashes[2 * i + 1], limit)));
		quarters[i] = vandq_u8(two_steps, bits);
	}
	const uint8x16_t sums = vpaddq_u8(vpaddq_u8(quarters[0], quarters[1]),
		vpaddq_u8(quarters[2], quarters[3]));
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)), 0);
}

// Out of line, since it is rarely called.
[[gnu::noinline]] void note(const Group &hashes, std::size_t first_end, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	for (std::uint64_t hits = hits_of(hashes, threshold); hits != 0; hits &= hits - 1) {
		const std::size_t bit = static_cast<std::size_t>(__builtin_ctzll(hits));
		const std::size_t i = bit / lanes, lane = bit % lanes;
		const std::size_t key = lane * key_lane + first_end + i;
		candidates.push_back({static_cast<std::uint32_t>(key), hashes[i][lane]});
	}
}

// A StripedKernel's scan.
void scan(const std::uint8_t *at, std::size_t stripe, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	// Unknown to the compiler, so that it stays in a register.
	const std::uint32_t *table = gear_table;
	asm("" : "+r"(table));
	Hashes last = warm_up(at, stripe);
	for (std::size_t done = 0; done < stripe; done += piece, at += piece) {
		const Pieces pieces = load_pieces(at, stripe);
		Hashes hashes[piece];
		uint32x4_t least = vdupq_n_u32(UINT32_MAX);
#pragma GCC unroll 8
		for (std::size_t i = 0; i < piece; i++) {
			last = hashes[i] = step(last, table, pieces, i);
			least = i == 0 ? least_of(last) : vminq_u32(least, least_of(last));
		}
		if (__builtin_expect(vminvq_u32(least) < threshold, false)) {
			Group group;
			static_assert(sizeof group == sizeof hashes);
			std::memcpy(group, hashes, sizeof group);
			note(group, done + 1, threshold, candidates);
		}
	}
}

} // namespace

void find_candidates_neon(Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	find_candidates_striped({lanes, piece, 64, scan}, segment, threshold, candidates);
}

} // namespace dig

#endif
