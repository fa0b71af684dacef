#include "libdig/chunking/sha256_lanes.h"

#include <algorithm>

#include "libdig/chunking/sha256_kernels.h"

namespace dig {

// FIPS 180-4: the fractions of the square roots of the first 8 primes, and of the cube roots of
// the first 64, 32 bits each.
const std::uint32_t sha256_initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

alignas(64) const std::uint32_t sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// Nine bytes of padding at least: a one bit, zeros, and the length in bits, big-endian.
void Sha256Stream::begin(const HashJob &job)
{
	std::memcpy(state, sha256_initial, sizeof state);
	const std::size_t size = job.message.size() + job.prefix.has_value();
	const bool fits = size + 9 <= sizeof tail_;
	const std::size_t rest = fits ? size : size % sha256_block;
	tail_blocks_ = (rest + 9 + sha256_block - 1) / sha256_block;
	std::memset(tail_, 0, sizeof tail_);
	const std::size_t copied = fits ? job.message.size() : rest; // the prefix comes before it
	if (fits && job.prefix)
		tail_[0] = *job.prefix;
	if (copied != 0)
		std::memcpy(tail_ + rest - copied, job.message.data() + job.message.size() - copied, copied);
	tail_[rest] = 0x80;
	const std::uint64_t bits = __builtin_bswap64(std::uint64_t{size} * 8);
	std::memcpy(tail_ + tail_blocks_ * sha256_block - sizeof bits, &bits, sizeof bits);
	digest_ = job.digest;
	middle_ = job.message.data();
	middle_blocks_ = fits ? 0 : size / sha256_block;
	if (fits || !job.prefix) {
		has_more();
		return;
	}
	head_[0] = *job.prefix;
	std::memcpy(head_ + 1, job.message.data(), sizeof head_ - 1);
	middle_ += sizeof head_ - 1;
	middle_blocks_--;
	next = head_;
	blocks = 1;
}

void Sha256Stream::store_digest() const
{
	for (std::size_t i = 0; i < 8; i++) {
		const std::uint32_t word = __builtin_bswap32(state[i]);
		std::memcpy(digest_->bytes.data() + i * sizeof word, &word, sizeof word);
	}
}

namespace {

// Where the streams come from: those begun elsewhere, then the jobs.
class Supply {
public:
	Supply(std::span<Sha256Stream *const> begun, std::span<const HashJob> jobs)
		: begun_(begun), jobs_(jobs)
	{
	}

	// A job is begun in the free stream.  Null when nothing is left.
	Sha256Stream *next(Sha256Stream &free)
	{
		if (!begun_.empty()) {
			Sha256Stream *stream = begun_.front();
			begun_ = begun_.subspan(1);
			return stream;
		}
		if (jobs_.empty())
			return nullptr;
		free.begin(jobs_.front());
		jobs_ = jobs_.subspan(1);
		return &free;
	}

private:
	std::span<Sha256Stream *const> begun_;
	std::span<const HashJob> jobs_;
};

} // namespace

// Blocks that so many messages side by side do in the time of one block alone.  Instructions have a
// latency, and two messages hide most of it.  Seen on Zen 4: 1.83, 3.40, 3.53 and 3.58 GB/s.
constexpr double rate_side_by_side[sha256_most_side_by_side + 1] = {0, 1, 1.86, 1.93, 1.96};

// The time for messages of so many blocks, which are begun in this order, so many side by side.
static double time_side_by_side(std::span<const std::size_t> messages, std::size_t most)
{
	std::size_t left[sha256_most_side_by_side];
	std::size_t count = 0;
	double time = 0;
	for (;;) {
		for (; count < most && !messages.empty(); messages = messages.subspan(1))
			left[count++] = messages.front();
		if (count == 0)
			return time;
		const std::size_t least = *std::min_element(left, left + count);
		time += static_cast<double>(least * count) / rate_side_by_side[count];
		for (std::size_t &each : std::span(left).first(count))
			each -= least;
		count = static_cast<std::size_t>(std::remove(left, left + count, 0u) - left);
	}
}

// Four large messages and a fifth take as long as two side by side all the time, and with four the fifth
// would be alone.
static std::size_t best_side_by_side(std::size_t most, std::span<Sha256Stream *const> begun,
	std::span<const HashJob> jobs)
{
	std::size_t messages[16];
	if (begun.size() + jobs.size() > std::size(messages))
		return most; // how the last ones end is a small part
	std::size_t count = 0;
	for (const Sha256Stream *stream : begun)
		messages[count++] = stream->blocks + 1;
	for (const HashJob &job : jobs)
		messages[count++] = job.message.size() / sha256_block + 1;
	std::size_t best = most;
	double least = time_side_by_side({messages, count}, most);
	for (std::size_t fewer = most; --fewer >= 2;)
		if (const double time = time_side_by_side({messages, count}, fewer); time < least) {
			least = time;
			best = fewer;
		}
	return best;
}

void sha256_finish(std::span<Sha256Compress *const> by_count,
	std::span<Sha256Stream *const> begun, std::span<const HashJob> jobs)
{
	Supply supply(begun, jobs);
	Sha256Stream own[sha256_most_side_by_side];
	Sha256Stream *streams[sha256_most_side_by_side];
	std::size_t count = 0;
	for (Sha256Stream &free : std::span(own).first(best_side_by_side(by_count.size(), begun, jobs))) {
		if (Sha256Stream *stream = supply.next(free))
			streams[count++] = stream;
	}
	while (count != 0) {
		by_count[count - 1](streams);
		for (std::size_t i = count; i-- > 0;) {
			if (streams[i]->blocks != 0 || streams[i]->has_more())
				continue;
			streams[i]->store_digest();
			streams[i] = supply.next(*streams[i]);
			if (!streams[i])
				streams[i] = streams[--count];
		}
	}
}

void sha256_many_cryptopp(std::span<const HashJob> jobs)
{
	for (const HashJob &job : jobs)
		*job.digest = job.prefix ? digest_of({Bytes(&*job.prefix, 1), job.message}) : digest_of(job.message);
}

#ifdef __x86_64__
bool has_shani() { return CPU_FEATURE_ACTIVE(SHA) && CPU_FEATURE_ACTIVE(SSE4_1); }
#endif

std::span<const Kernel<Sha256Many>> sha256_kernels()
{
	static const Kernel<Sha256Many> kernels[] = {
#ifdef __x86_64__
		{"avx512", CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW),
			sha256_many_avx512},
		{"shani", has_shani(), sha256_many_shani},
#endif
#ifdef __aarch64__
		{"armv8", has_armv8_sha256(), sha256_many_armv8},
#endif
		{"cryptopp", true, sha256_many_cryptopp},
	};
	return std::span(kernels);
}

static const Kernel<Sha256Many> &chosen_kernel()
{
	static const Kernel<Sha256Many> &kernel = choose_kernel("DIG_SHA256_KERNEL", sha256_kernels());
	return kernel;
}

void sha256_many(std::span<const HashJob> jobs) { chosen_kernel().function(jobs); }

std::string_view sha256_kernel() { return chosen_kernel().name; }

} // namespace dig
