// The headers of Crypto++ take about 2 s to compile.  So no other file includes them, and Hasher
// keeps its state behind a pointer.
#include "libdig/base/digest.h"

#include <cryptopp/sha.h>
#include <zlib.h>

#include <random>

#include "libdig/base/digest_kernels.h"

namespace dig {

struct Hasher::State {
	CryptoPP::SHA256 sha;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

Hasher &Hasher::update(Bytes bytes)
{
	state_->sha.Update(bytes.data(), bytes.size());
	return *this;
}

Digest Hasher::finish()
{
	Digest digest;
	state_->sha.Final(digest.bytes.data());
	return digest;
}

Digest digest_of(Bytes bytes)
{
	Digest digest;
	CryptoPP::SHA256().CalculateDigest(digest.bytes.data(), bytes.data(), bytes.size());
	return digest;
}

Digest digest_of(std::initializer_list<Bytes> pieces)
{
	CryptoPP::SHA256 sha;
	for (Bytes piece : pieces)
		sha.Update(piece.data(), piece.size());
	Digest digest;
	sha.Final(digest.bytes.data());
	return digest;
}

Digest random_digest()
{
	// Not Crypto++'s generator, which gives up when a signal interrupts it.
	std::random_device device;
	Digest digest;
	for (std::uint8_t &byte : digest.bytes)
		byte = static_cast<std::uint8_t>(device());
	return digest;
}

std::string to_hex(const Digest &digest) { return to_hex(Bytes(digest.bytes)); }

std::optional<Digest> parse_digest(std::string_view text)
{
	Digest digest;
	if (!from_hex(text, digest.bytes))
		return {};
	return digest;
}

std::uint32_t crc32_of(Bytes bytes, std::uint32_t before)
{
	// The folding wants a multiple of 16 bytes, and at least the 64 that one kernel works on at a
	// time.  zlib does the rest.  The two have the same checksum in different forms: zlib inverts
	// the register before and after, and the folding does not.
	static const bool can_fold = can_fold_crc32();
	if (can_fold && bytes.size() >= 64) {
		const Bytes whole = bytes.first(bytes.size() / 16 * 16);
		before = ~fold_crc32(whole, ~before);
		bytes = bytes.subspan(whole.size());
	}
	return static_cast<std::uint32_t>(::crc32_z(before, bytes.data(), bytes.size()));
}

} // namespace dig
