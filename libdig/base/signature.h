// Ed25519 (RFC 8032).  Only signature.cpp includes Crypto++'s curve.
#ifndef DIG_SIGNATURE_H
#define DIG_SIGNATURE_H

#include <array>

#include "libdig/base/bytes.h"

namespace dig {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// The seed that the pair of keys follows from: secret.  It is overwritten when it goes.
class SecretKey {
public:
	// 32 bytes.
	explicit SecretKey(Bytes seed);
	~SecretKey();
	SecretKey(const SecretKey &) = delete;
	SecretKey(SecretKey &&other) noexcept : seed_(other.seed_) {}
	// From the random generator of the operating system.
	static SecretKey random();

	Bytes seed() const { return seed_; }
	PublicKey public_key() const;
	Signature sign(Bytes message) const;

private:
	std::array<std::uint8_t, 32> seed_;
};

bool verify_signature(const PublicKey &key, Bytes message, const Signature &signature);

} // namespace dig

#endif
