// SHA-256 of one message, CRC-32, and random bytes.  For many digests at once see sha256_lanes.
// Only digest.cpp includes Crypto++.
#ifndef DIG_DIGEST_H
#define DIG_DIGEST_H

#include <array>
#include <compare>
#include <initializer_list>
#include <memory>
#include <optional>

#include "libdig/base/bytes.h"

namespace dig {

// 32 bytes of SHA-256, printed as 64 lower-case hexadecimal digits.
struct Digest {
	std::array<std::uint8_t, 32> bytes{};

	auto operator<=>(const Digest &) const = default;
	operator Bytes() const { return bytes; }
	bool is_zero() const { return *this == Digest{}; }
	// The first four bytes as a little-endian integer.
	std::uint32_t first_word() const
	{
		std::uint32_t word;
		std::memcpy(&word, bytes.data(), sizeof word);
		return word;
	}
};
static_assert(sizeof(Digest) == 32 && alignof(Digest) == 1);

// Digests are spread evenly already, so their first bytes serve as a hash.
struct DigestHash {
	std::size_t operator()(const Digest &digest) const
	{
		std::size_t value;
		std::memcpy(&value, digest.bytes.data(), sizeof value);
		return value;
	}
};

std::string to_hex(const Digest &digest);

// Nothing unless text is 64 hexadecimal digits, no more and no less.
std::optional<Digest> parse_digest(std::string_view text);

// One message in pieces.  About 1.8 GB/s where the CPU has SHA-NI.
class Hasher {
public:
	Hasher();
	~Hasher();
	Hasher(const Hasher &) = delete;
	Hasher &operator=(const Hasher &) = delete;

	Hasher &update(Bytes bytes);
	// The digest of all pieces.  The next update() begins a new message.
	Digest finish();

private:
	struct State;
	std::unique_ptr<State> state_;
};

Digest digest_of(Bytes bytes);
Digest digest_of(std::initializer_list<Bytes> pieces);

// 32 bytes from the random generator of the operating system, for store ids.
Digest random_digest();

// CRC-32 (ISO 3309, as in zlib).  before is the checksum of the bytes in front of these.
std::uint32_t crc32_of(Bytes bytes, std::uint32_t before = 0);

} // namespace dig

#endif
