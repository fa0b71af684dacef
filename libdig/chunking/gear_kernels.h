// Inside gear: its kernels, and how one is chosen among those that a CPU can run.
#ifndef DIG_GEAR_KERNELS_H
#define DIG_GEAR_KERNELS_H

#include <cstdlib>
#include <span>
#include <string>

#ifdef __x86_64__
#ifdef __clang__
#define _Bool bool // a word of C that the next header uses
#endif
#include <sys/platform/x86.h>
#endif

#include "libdig/base/error.h"
#include "libdig/chunking/gear.h"

namespace dig {

using FindCandidates = void (Bytes, std::uint32_t threshold, std::vector<Candidate> &);

#ifdef __x86_64__
FindCandidates find_candidates_avx2;
FindCandidates find_candidates_avx512;
#endif
#ifdef __aarch64__
FindCandidates find_candidates_neon;
#endif

// A kernel that works on stripes of the segment side by side, one in each lane of a vector.
struct StripedKernel {
	std::size_t lanes;
	std::size_t piece; // stripes are multiples of it
	std::size_t shortest; // stripe worth its overhead

	// Appends the candidates of all stripes, which follow each other from `at`.  Those of one
	// lane are in order; those of several lanes may be mixed.  Each has a key instead of its
	// end.
	void (*scan)(const std::uint8_t *at, std::size_t stripe, std::uint32_t threshold,
		std::vector<Candidate> &candidates);
};

// A key stands for an end until the candidates are put in order.  It has the lane in its upper
// half, and the position in the stripe in its lower half.
constexpr std::uint32_t key_lane = 1 << 16;

void find_candidates_striped(const StripedKernel &kernel, Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates);

// One way to compute something, and whether this CPU can.
template <typename Function> struct Kernel {
	std::string_view name;
	bool runs_here;
	Function *function;
};

// Every kernel of gear, best first; the last one runs everywhere.
std::span<const Kernel<FindCandidates>> gear_kernels();

// The kernel that the environment variable names.  If the variable is unset or empty, it is the
// first one that runs here.
template <typename Function>
const Kernel<Function> &choose_kernel(const char *variable,
	std::span<const Kernel<Function>> kernels)
{
	const char *value = std::getenv(variable);
	const std::string_view wanted = value ? value : "";
	std::string allowed;
	for (const Kernel<Function> &kernel : kernels) {
		if (!kernel.runs_here)
			continue;
		if (wanted.empty() || kernel.name == wanted)
			return kernel;
		allowed += (allowed.empty() ? "" : ", ") + std::string(kernel.name);
	}
	std::string reason = "no such kernel";
	for (const Kernel<Function> &kernel : kernels) {
		if (kernel.name == wanted)
			reason = "this CPU cannot run it";
	}
	throw Error(std::string(variable) + " is " + quote(wanted) + ": " + reason + " (allowed: " +
		allowed + ")");
}

} // namespace dig

#endif
