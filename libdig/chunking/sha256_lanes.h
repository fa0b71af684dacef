// Many SHA-256 digests at once.  One message is a chain that a core works off at about 1.8 GB/s;
// independent messages side by side run at two to three times that.
#ifndef DIG_SHA256_LANES_H
#define DIG_SHA256_LANES_H

#include <span>
#include <string_view>

#include "libdig/base/digest.h"

namespace dig {

struct HashJob {
	Bytes message;
	Digest *digest; // where the result goes
};

// Computes all digests; messages may have any sizes, and be in any number and order.  AVX-512
// with sixteen lanes while nine or more messages are at hand (about 5 GB/s), SHA-NI with up to
// four side by side otherwise (3.2 GB/s), Crypto++ where the CPU has neither.  Any thread;
// allocates nothing.
void sha256_many(std::span<const HashJob> jobs);

// The kernel in use: "avx512", "shani" or "cryptopp" ("avx512" uses "shani" where messages are
// few).  DIG_SHA256_KERNEL forces one; Error where it names none, or one that this CPU cannot run.
std::string_view sha256_kernel();

} // namespace dig

#endif
