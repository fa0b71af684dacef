#include "libdig/chunking/gear.h"

#include <algorithm>

#include "libdig/chunking/gear_kernels.h"

namespace dig {

// Long enough that 32 bytes of warming do not show.  An odd number of cache lines, since streams
// at a power of two from each other would share a few sets of the cache.
static constexpr std::size_t longest_stripe = 65 * 64;
static_assert(longest_stripe < key_lane);

static constexpr std::size_t most_lanes = 16;

// By rows of eight, as this prints them:
//
//     python3 -c 'import hashlib
//     for i in range(256):
//         word = hashlib.sha256(b"dig gear table 1" + bytes([i])).digest()[:4]
//         print("0x%08x" % int.from_bytes(word, "little"), end=",\n" if i % 8 == 7 else ", ")'
const std::uint32_t gear_table[256] = {
	0xdabde62f, 0x36d560da, 0x6a4aaf55, 0x0685e839, 0xfa641a17, 0xfe1f621f, 0xbe752be9, 0xb9156121,
	0x196311f4, 0x3efd25da, 0x020e1cce, 0xade043bd, 0x5ff0336b, 0x2e159b22, 0x50b079a6, 0x5d3d096b,
	0x35c26018, 0x4f4aaacb, 0x31649f52, 0x50ea13d7, 0x18a20fcc, 0x6ef0753c, 0xdeb9b328, 0xd06ae066,
	0x819d330b, 0x5a73f7f5, 0xfaa0a77a, 0xc55641e4, 0x6312eb52, 0x166ba962, 0x5cdb9351, 0x719dd716,
	0x328ba740, 0x50dfa281, 0x02f9afc8, 0x19bd7e99, 0xec7b08c3, 0xed5d935a, 0x55cb9e5c, 0xc100b4da,
	0xd9f230bd, 0x941b2d36, 0x76fc2590, 0x390edfc3, 0x63d68f7a, 0xa394c2bc, 0x5b7620d9, 0x181a101a,
	0xb2bc988e, 0x0d731d0d, 0x72b072cc, 0x922c43c0, 0xd040d94c, 0x92d0dd95, 0xecf113ca, 0x35ebc0ab,
	0x5693cf9b, 0xe9709c33, 0x9bf19da0, 0xdc81c4b3, 0x4b10f199, 0x88ecfb09, 0xd172fc18, 0x1ddd72a7,
	0xe81c03a7, 0x58fdaf40, 0xe57457c7, 0xb96f7afb, 0x540f58fa, 0x198cd1fe, 0x2b634050, 0xef80a351,
	0x08e32358, 0xbe7c1a34, 0xbf7af214, 0x53fc9c18, 0x501ac1cc, 0xa8b71e13, 0x3c966bef, 0x4a0b93ea,
	0x013adbf4, 0x7b18c7aa, 0x409f1863, 0xed468b25, 0xd78c4227, 0xb4d08b5d, 0xd8438898, 0xeab12c67,
	0xd1f5ef74, 0x48eccd65, 0xb1f7f73e, 0x8e704796, 0xf2dc1abf, 0xdf01801c, 0x01a90f5f, 0x73e8772f,
	0xce365745, 0x5c27f75b, 0xc7eb56d4, 0x9a6c6232, 0x15d6c084, 0xd6892a67, 0xf6970d47, 0x044c45a4,
	0xee302bd3, 0xbd855f6d, 0x1dc6cdc5, 0xc51b5f05, 0xe36d21c7, 0x95cff73c, 0x429c940d, 0xc06c3313,
	0x2faab12e, 0x1f9badad, 0xb5639c09, 0xa1498451, 0x3c88ca4c, 0xbe261282, 0x014ffefa, 0x536c16aa,
	0x54624cfe, 0xd6032529, 0x03fab85b, 0xf70b20c0, 0xa411e0e9, 0x25ed4e8a, 0xb80842b3, 0x579afe5d,
	0x4d575710, 0x8069fa3d, 0xd1d67886, 0x40f31eab, 0x77e77f78, 0x288f683b, 0x77b2307f, 0x13830595,
	0xf5275d66, 0x5b364c6c, 0x72c12e59, 0x85199193, 0xaca71438, 0x20dab1f9, 0x4c97f5f5, 0xcf137e51,
	0x21d829b8, 0x6116c956, 0xab5a16bb, 0xc0303b2e, 0x2e28d1c8, 0x74bde610, 0xd5121e77, 0x6b310d91,
	0x8105a94d, 0x9d9cc5f1, 0x3e9f2e7a, 0x2a10d453, 0xfce1a531, 0x83d84aa2, 0x6a320bff, 0xbb27e030,
	0xe5b5b055, 0x0c2d2431, 0x7d6fb6a2, 0x807b4b92, 0x577ece52, 0x6a19499e, 0x5692a258, 0xcb185630,
	0xc744397d, 0x83bbf92e, 0xbe075970, 0xf3bfa033, 0x1e5e89bb, 0xcf39827a, 0xac7ef430, 0x5667248f,
	0xa7eb4165, 0x7e623254, 0x564e02ba, 0x32e6cde1, 0x61a67133, 0x064171b2, 0x89ef4d50, 0xe5f4cd9f,
	0x8ca21762, 0x44ce1a5b, 0x260abea1, 0x25d68325, 0xf6676a18, 0x8bc73e00, 0x4ecc3376, 0x246c6b14,
	0x03ff45f1, 0x340339d2, 0x61a4d7a6, 0x1a982ba7, 0xdf9686eb, 0x6aa2d06e, 0xbf4ae4da, 0x5f6dc1ec,
	0x45de483b, 0x7d3b9a7c, 0xae7b0567, 0xc30cd90a, 0x3cb7d9fe, 0xefbcbcca, 0x9aeabcc6, 0x3c0126af,
	0x4e521ca4, 0x65377d8b, 0x5daba300, 0x38ef3157, 0xf585749a, 0x1f539651, 0x05adeebb, 0xe986eeed,
	0x8ccf174b, 0x054bfcff, 0xa1e11b45, 0x5600c7f7, 0x385ab33a, 0xe740b07b, 0x26146776, 0xf9dbab97,
	0x9d36a46b, 0xb1bc0ca4, 0xe8c1ddfd, 0x89c63e9a, 0xbc2e31a0, 0xf4556e5f, 0x60c1d66a, 0x9ed59a8b,
	0x34314836, 0x9aaec760, 0x9cf96560, 0x5d07e3bf, 0x8824ebd5, 0xdff807e2, 0x174e9140, 0x954d464e,
	0x527f3959, 0xf140fe1a, 0x54c2e8f1, 0x6d52b356, 0x2243a595, 0x153e62e2, 0xe3030643, 0x6b9f0b3a,
	0x3da6be6c, 0xa569881d, 0x4c86e35d, 0x7fd8fe06, 0xf16b0fb4, 0x765b2d9d, 0x45997434, 0x77d82146,
};

void find_candidates_scalar(Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	if (segment.empty())
		return;
	std::uint32_t hash = 0;
	for (const std::uint8_t *at = segment.data() - gear_window; at < segment.data(); at++)
		hash = gear_table[*at] + 2 * hash;
	for (std::size_t at = 0; at < segment.size();) {
		hash = gear_table[segment[at++]] + 2 * hash;
		if (hash < threshold)
			candidates.push_back({static_cast<std::uint32_t>(at), hash});
	}
}

// Gives the candidates from number `first` on their ends and their order.  The stripes begin at
// `begin` of the segment.
static void order_by_lane(std::vector<Candidate> &candidates, std::size_t first, std::size_t begin,
	std::size_t stripe)
{
	const std::size_t count = candidates.size() - first;
	std::size_t places[most_lanes + 1] = {};
	for (std::size_t i = 0; i < count; i++)
		places[candidates[first + i].end / key_lane + 1]++;
	for (std::size_t lane = 1; lane < most_lanes; lane++)
		places[lane] += places[lane - 1];
	candidates.resize(first + 2 * count);
	Candidate *from = candidates.data() + first;
	Candidate *to = from + count;
	for (std::size_t i = 0; i < count; i++) {
		const std::size_t lane = from[i].end / key_lane;
		const std::size_t end = begin + lane * stripe + from[i].end % key_lane;
		to[places[lane]++] = {static_cast<std::uint32_t>(end), from[i].hash};
	}
	std::copy_n(to, count, from);
	candidates.resize(first + count);
}

void find_candidates_striped(const StripedKernel &kernel, Bytes segment, std::uint32_t threshold,
	std::vector<Candidate> &candidates)
{
	std::size_t done = 0;
	while (segment.size() - done >= kernel.lanes * kernel.shortest) {
		const std::size_t share = (segment.size() - done) / kernel.lanes;
		const std::size_t stripe = std::min(share / kernel.piece * kernel.piece, longest_stripe);
		const std::size_t first = candidates.size();
		kernel.scan(segment.data() + done, stripe, threshold, candidates);
		order_by_lane(candidates, first, done, stripe);
		done += kernel.lanes * stripe;
	}
	const std::size_t first = candidates.size();
	find_candidates_scalar(segment.subspan(done), threshold, candidates);
	for (std::size_t i = first; i < candidates.size(); i++)
		candidates[i].end += static_cast<std::uint32_t>(done);
}

// The C library's record of what CPU and operating system can do costs no cpuid instruction,
// which is dear under a hypervisor.
std::span<const Kernel<FindCandidates>> gear_kernels()
{
	static const Kernel<FindCandidates> kernels[] = {
#ifdef __x86_64__
		{"avx512", CPU_FEATURE_ACTIVE(AVX512_VBMI) && CPU_FEATURE_ACTIVE(AVX512BW),
			find_candidates_avx512},
		{"avx2", CPU_FEATURE_ACTIVE(AVX2), find_candidates_avx2},
#endif
#ifdef __aarch64__
		{"neon", true, find_candidates_neon},
#endif
		{"scalar", true, find_candidates_scalar},
	};
	return std::span(kernels);
}

static const Kernel<FindCandidates> &chosen_kernel()
{
	static const Kernel<FindCandidates> &kernel = choose_kernel("DIG_GEAR_KERNEL", gear_kernels());
	return kernel;
}

void find_candidates(Bytes segment, std::uint32_t threshold, std::vector<Candidate> &candidates)
{
	chosen_kernel().function(segment, threshold, candidates);
}

std::string_view gear_kernel() { return chosen_kernel().name; }

} // namespace dig
