// Many SHA-256 digests at once.  Each step of a message needs the step before, so that a core
// hashes one message at about 1.8 GB/s.  Several messages side by side are hashed two to three
// times as fast.
#ifndef DIG_SHA256_LANES_H
#define DIG_SHA256_LANES_H

#include <optional>
#include <span>
#include <string_view>

#include "libdig/base/digest.h"

namespace dig {

struct HashJob {
	Bytes message;
	Digest *digest; // where the result goes
	// A byte that is hashed in front of the message, though it does not lie there.
	std::optional<std::uint8_t> prefix{};
};

// Computes all digests.  Number, sizes and order of the messages are free.  Nine messages or more
// go through sixteen lanes of AVX-512 (about 5 GB/s), fewer go through SHA-NI, up to four side by
// side (3.2 GB/s).  On arm64, up to three go side by side through the instructions of ARMv8.  On a
// CPU that has none of these, Crypto++ does it.  Any thread; allocates nothing.
void sha256_many(std::span<const HashJob> jobs);

// The kernel in use: "avx512", "shani", "armv8" or "cryptopp" ("avx512" leaves a few messages to
// "shani").  DIG_SHA256_KERNEL forces one; a name that is none, or a kernel that this CPU cannot
// run, is an Error.
std::string_view sha256_kernel();

} // namespace dig

#endif
