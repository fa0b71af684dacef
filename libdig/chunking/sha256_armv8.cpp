// SHA-256 with the instructions of ARMv8, several messages side by side.
//
// Four rounds (SHA256H and SHA256H2) depend on the four before them.  They take longer than the
// unit is busy with them, so that it could do another message's in the gaps.  llvm-mca has models
// of the cores.  They say, in cycles a byte for one to four messages side by side:
//
//     Neoverse N1   1.53  0.89  0.89  0.90
//     Neoverse V1   1.53  0.77  0.69  0.70
//
// Three it is.  State and schedule of a fourth would no longer fit into the 32 registers, which
// costs what it gains.  A block takes 102, 101 and 99 instructions for one, two and three messages;
// 88 of them are the rounds.  No such core was at hand to measure the time.
#ifdef __aarch64__

// Clang before 16 declares the instructions of a file's own flags only.
#if defined(__clang__) && !defined(__ARM_FEATURE_SHA2)
#define __ARM_FEATURE_SHA2 1
#endif

#include <arm_neon.h>
#include <sys/auxv.h>

#include <algorithm>

#include "libdig/chunking/sha256_kernels.h"

// Per function, so that the file needs no compiler flags of its own.
#ifdef __clang__
#define DIG_TARGET gnu::target("crypto")
#define DIG_IN_ORDER
#else
#define DIG_TARGET gnu::target("+crypto")
// GCC would move loads up, until the registers do not suffice.
#define DIG_IN_ORDER gnu::optimize("no-schedule-insns")
#endif

namespace dig {

namespace {

struct Lane {
	uint32x4_t abcd, efgh;
	uint32x4_t abcd_before, efgh_before;
	uint32x4_t words[4]; // the schedule's last sixteen
};

[[DIG_TARGET, gnu::always_inline]] inline void begin_block(Lane &lane, const std::uint8_t *block)
{
	lane.abcd_before = lane.abcd;
	lane.efgh_before = lane.efgh;
	const uint8x16x4_t bytes = vld1q_u8_x4(block);
#pragma GCC unroll 4
	for (std::size_t i = 0; i < 4; i++)
		lane.words[i] = vreinterpretq_u32_u8(vrev32q_u8(bytes.val[i]));
}

[[DIG_TARGET, gnu::always_inline]] inline void end_block(Lane &lane)
{
	lane.abcd = vaddq_u32(lane.abcd, lane.abcd_before);
	lane.efgh = vaddq_u32(lane.efgh, lane.efgh_before);
}

// Makes the words of rounds 4 i to 4 i + 3 into those of sixteen rounds later.
template <std::size_t i>
[[DIG_TARGET, gnu::always_inline]] inline void extend_schedule(uint32x4_t (&words)[4])
{
	const uint32x4_t sum = vsha256su0q_u32(words[i % 4], words[(i + 1) % 4]);
	words[i % 4] = vsha256su1q_u32(sum, words[(i + 2) % 4], words[(i + 3) % 4]);
}

// Rounds 4 i to 4 i + 3.
template <std::size_t i, std::size_t count>
[[DIG_TARGET, gnu::always_inline]] inline void four_rounds(Lane (&lanes)[count],
	uint32x4_t constants)
{
#pragma GCC unroll 4
	for (Lane &lane : lanes) {
		const uint32x4_t input = vaddq_u32(lane.words[i % 4], constants);
		if constexpr (i < 12)
			extend_schedule<i>(lane.words);
		const uint32x4_t abcd = lane.abcd;
		lane.abcd = vsha256hq_u32(abcd, lane.efgh, input);
		lane.efgh = vsha256h2q_u32(lane.efgh, abcd, input);
	}
}

// Rounds 16 i to 16 i + 15.
template <std::size_t i, std::size_t count>
[[DIG_TARGET, gnu::always_inline]] inline void sixteen_rounds(Lane (&lanes)[count],
	const std::uint32_t *constants)
{
	const uint32x4x4_t sixteen = vld1q_u32_x4(constants + 16 * i);
	four_rounds<4 * i>(lanes, sixteen.val[0]);
	four_rounds<4 * i + 1>(lanes, sixteen.val[1]);
	four_rounds<4 * i + 2>(lanes, sixteen.val[2]);
	four_rounds<4 * i + 3>(lanes, sixteen.val[3]);
}

template <std::size_t count>
[[DIG_TARGET, gnu::always_inline]] inline void all_rounds(Lane (&lanes)[count])
{
	// Unknown to the compiler, so that it does not load them once and keep them on the stack.
	const std::uint32_t *constants = sha256_constants;
	asm("" : "+r"(constants));
	sixteen_rounds<0>(lanes, constants);
	sixteen_rounds<1>(lanes, constants);
	sixteen_rounds<2>(lanes, constants);
	sixteen_rounds<3>(lanes, constants);
}

// A Sha256Compress of `count` streams.
template <std::size_t count> [[DIG_TARGET, DIG_IN_ORDER]] void compress(Sha256Stream *const streams[])
{
	Lane lanes[count];
	const std::uint8_t *next[count];
	std::size_t blocks = SIZE_MAX;
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		lanes[k].abcd = vld1q_u32(streams[k]->state);
		lanes[k].efgh = vld1q_u32(streams[k]->state + 4);
		next[k] = streams[k]->next;
		blocks = std::min(blocks, streams[k]->blocks);
	}
	for (std::size_t left = blocks; left != 0; left--) {
#pragma GCC unroll 4
		for (std::size_t k = 0; k < count; k++) {
			begin_block(lanes[k], next[k]);
			next[k] += sha256_block;
		}
		all_rounds(lanes);
#pragma GCC unroll 4
		for (Lane &lane : lanes)
			end_block(lane);
	}
#pragma GCC unroll 4
	for (std::size_t k = 0; k < count; k++) {
		vst1q_u32(streams[k]->state, lanes[k].abcd);
		vst1q_u32(streams[k]->state + 4, lanes[k].efgh);
		streams[k]->take(blocks);
	}
}

} // namespace

bool has_armv8_sha256() { return (::getauxval(AT_HWCAP) & HWCAP_SHA2) != 0; }

void sha256_many_armv8(std::span<const HashJob> jobs)
{
	static constexpr Sha256Compress *by_count[] = {compress<1>, compress<2>, compress<3>};
	sha256_finish(by_count, {}, jobs);
}

} // namespace dig

#endif
