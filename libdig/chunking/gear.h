// Gear32: the rolling hash that finds where content may be cut.
//
//     h = 2h + G[byte]  mod 2^32
//
// After 32 steps a byte has left the hash, so that h at a position depends on the 32 bytes before
// it alone.  Any thread can look for candidates in any segment, in any order.  chunker.h decides
// which of them become cuts.
//
// The table is part of the format: G[i] is the first four bytes, little-endian, of
// SHA-256("dig gear table 1" ‖ byte i).  The hash of 32 zero bytes is -G[0] mod 2^32
// = 0x254219d1, above every weak threshold (2^25 at most): runs of zeros have no candidates.
#ifndef DIG_GEAR_H
#define DIG_GEAR_H

#include <cstdint>
#include <string_view>
#include <vector>

#include "libdig/base/bytes.h"

namespace dig {

constexpr std::uint16_t gear_table_version = 1;
constexpr std::size_t gear_window = 32;

// The 256 values of G.
extern const std::uint32_t gear_table[256];

// A position at which content may be cut: after `end` bytes of the segment (1 to its size).
struct Candidate {
	std::uint32_t end;
	std::uint32_t hash;

	bool operator==(const Candidate &) const = default;
};

// Appends every position of the segment whose hash is below threshold, in order.  The 32 bytes
// before segment.data() must be readable and are the window of its first positions; at the
// start of a file they may hold anything, since no cut falls there.  segment.size() < 2^32.
// Any thread.  The kernel is chosen at the first call; see gear_kernel().
void find_candidates(Bytes segment, std::uint32_t threshold, std::vector<Candidate> &candidates);

// The kernel in use: "scalar", "avx2", "avx512" or "neon".  DIG_GEAR_KERNEL forces one; a name that
// is none, or a kernel that this CPU cannot run, is an Error.
std::string_view gear_kernel();

// The reference, of three lines, that all kernels must equal.  For tests.
void find_candidates_scalar(Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates);

} // namespace dig

#endif
