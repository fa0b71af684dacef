#include "libdig/base/signature.h"

#include <algorithm>

#include <cryptopp/misc.h>
#include <cryptopp/osrng.h>
#include <cryptopp/xed25519.h>

namespace dig {

SecretKey::SecretKey(Bytes seed) { std::copy_n(seed.begin(), seed_.size(), seed_.begin()); }

SecretKey::~SecretKey() { CryptoPP::SecureWipeArray(seed_.data(), seed_.size()); }

SecretKey SecretKey::random()
{
	std::array<std::uint8_t, 32> seed;
	CryptoPP::OS_GenerateRandomBlock(false, seed.data(), seed.size());
	SecretKey key{Bytes(seed)};
	CryptoPP::SecureWipeArray(seed.data(), seed.size());
	return key;
}

PublicKey SecretKey::public_key() const
{
	const CryptoPP::ed25519::Signer signer(seed_.data());
	const CryptoPP::ed25519::Verifier verifier(signer);
	PublicKey key;
	std::copy_n(dynamic_cast<const CryptoPP::ed25519PublicKey &>(verifier.GetMaterial())
					.GetPublicKeyBytePtr(),
		key.size(), key.begin());
	return key;
}

Signature SecretKey::sign(Bytes message) const
{
	const CryptoPP::ed25519::Signer signer(seed_.data());
	Signature signature;
	signer.SignMessage(CryptoPP::NullRNG(), message.data(), message.size(), signature.data());
	return signature;
}

// RFC 8032, section 5.1.7: the second half is a number below the order of the base point.  Crypto++ does not
// look, and would take a second signature that anybody can make of the first.
static bool is_reduced(const Signature &signature)
{
	static constexpr std::uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x10};
	for (std::size_t i = 32; i-- > 0;)
		if (signature[32 + i] != order[i])
			return signature[32 + i] < order[i];
	return false;
}

bool verify_signature(const PublicKey &key, Bytes message, const Signature &signature)
{
	if (!is_reduced(signature))
		return false;
	const CryptoPP::ed25519::Verifier verifier(key.data());
	return verifier.VerifyMessage(
		message.data(), message.size(), signature.data(), signature.size());
}

} // namespace dig
