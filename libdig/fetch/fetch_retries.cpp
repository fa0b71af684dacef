#include "libdig/fetch/fetch_retries.h"

#include <algorithm>

namespace dig {

constexpr std::uint64_t least_progress = 64 * 1024; // bytes; a server could give one at a time
constexpr std::uint64_t first_wait_ns = 250'000'000, second_ns = 1'000'000'000;
constexpr std::uint64_t most_doublings = 5; // eight seconds
constexpr std::uint64_t most_asked_s = 60;

std::optional<std::int64_t> FetchRetries::next(std::uint64_t bytes, std::uint64_t asked_s, std::uint64_t number)
{
	if (bytes >= least_progress)
		attempts_ = 0;
	if (attempts_ >= most_)
		return {};
	std::uint64_t wait_ns = first_wait_ns << std::min(attempts_++, most_doublings);
	wait_ns -= wait_ns / 16 * (number % 4);
	return static_cast<std::int64_t>(std::max(wait_ns, std::min(asked_s, most_asked_s) * second_ns));
}

} // namespace dig
