// Inside sha256_lanes: its kernels, and what they share.
#ifndef DIG_SHA256_KERNELS_H
#define DIG_SHA256_KERNELS_H

#include "libdig/chunking/gear_kernels.h"
#include "libdig/chunking/sha256_lanes.h"

namespace dig {

using Sha256Many = void (std::span<const HashJob>);

Sha256Many sha256_many_cryptopp;
#ifdef __x86_64__
Sha256Many sha256_many_shani;
Sha256Many sha256_many_avx512;
#endif
#ifdef __aarch64__
Sha256Many sha256_many_armv8;
#endif

// Every kernel of sha256_many, best first; the last one runs everywhere.
std::span<const Kernel<Sha256Many>> sha256_kernels();

constexpr std::size_t sha256_block = 64;
extern const std::uint32_t sha256_initial[8];
alignas(64) extern const std::uint32_t sha256_constants[64];

// A message that is being hashed: first the blocks as they lie in the message, then one or two
// blocks with its last bytes and the padding.  A message that fits into these is copied there
// whole.  One with a prefix begins with a block that is put together, and the blocks behind it begin
// one byte earlier in the message.
class Sha256Stream {
public:
	std::uint32_t state[8];
	const std::uint8_t *next = nullptr;
	std::size_t blocks = 0; // that can be taken from next

	void begin(const HashJob &job);

	void take(std::size_t count)
	{
		next += count * sha256_block;
		blocks -= count;
	}

	// To be called when no blocks are left: false when the message is at its end.
	bool has_more()
	{
		if (middle_blocks_ != 0) {
			next = middle_;
			blocks = middle_blocks_;
			middle_blocks_ = 0;
			return true;
		}
		next = tail_;
		blocks = tail_blocks_;
		tail_blocks_ = 0;
		return blocks != 0;
	}

	// At the end.
	void store_digest() const;

private:
	Digest *digest_;
	// Still to come.
	const std::uint8_t *middle_;
	std::size_t middle_blocks_, tail_blocks_;
	std::uint8_t head_[sha256_block], tail_[2 * sha256_block];
};

// Hashes as many blocks of each stream as all of them have, some at least.
using Sha256Compress = void (Sha256Stream *const streams[]);

constexpr std::size_t sha256_most_side_by_side = 4;

// Finishes the messages that another kernel has begun, and does the jobs: several side by side, each
// number of them by the function in its place.  by_count has at most sha256_most_side_by_side.
void sha256_finish(std::span<Sha256Compress *const> by_count,
	std::span<Sha256Stream *const> begun, std::span<const HashJob> jobs);

#ifdef __x86_64__
bool has_shani();

// Finishes the messages that the lanes of another kernel have begun, and does the jobs.
void sha256_finish_shani(std::span<Sha256Stream *const> begun, std::span<const HashJob> jobs);

// sha256_many_avx512, for a CPU on which as many lanes as `enough` are faster than SHA-NI.  One is
// enough where there is no SHA-NI.
void sha256_in_avx512_lanes(std::span<const HashJob> jobs, std::size_t enough);
#endif

#ifdef __aarch64__
bool has_armv8_sha256();
#endif

} // namespace dig

#endif
