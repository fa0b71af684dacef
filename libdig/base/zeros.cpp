#include "libdig/base/zeros.h"

#include <cassert>
#include <cstring>
#include <map>
#include <mutex>

namespace dig {

// Nobody writes here, so that the kernel backs every page with its one page of zeros.  It is not
// const, because constants lie in the program's file.
static std::uint8_t zeros[most_zeros];

Bytes zero_bytes(std::size_t size)
{
	assert(size <= most_zeros);
	return Bytes(zeros).first(size);
}

bool is_zero(Bytes bytes)
{
	// If the first byte is zero and each one is equal to the next, all are zero.
	return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

Digest zero_digest(std::size_t size)
{
	// Held while hashing, too, so that threads that ask for a new size at once hash it once.
	static std::mutex mutex;
	static std::map<std::size_t, Digest> known;
	std::lock_guard guard(mutex);
	const auto [at, is_new] = known.try_emplace(size);
	if (is_new)
		at->second = digest_of(zero_bytes(size));
	return at->second;
}

} // namespace dig
