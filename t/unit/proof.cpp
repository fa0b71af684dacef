// Base 64, Ed25519 and notes against the vectors of their specifications.
#include <boost/test/unit_test.hpp>

#include "libdig/base/base64.h"
#include "libdig/proof/policy.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(proof)

// RFC 4648, section 10.
BOOST_AUTO_TEST_CASE(base_64_has_one_form)
{
	const std::pair<const char *, const char *> vectors[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	for (const auto &[plain, encoded] : vectors) {
		BOOST_TEST(to_base64(bytes_of(plain)) == encoded);
		const std::optional<Buffer> decoded = from_base64(encoded);
		BOOST_REQUIRE(decoded.has_value());
		BOOST_TEST(text_of(*decoded) == plain);
	}
	BOOST_TEST(to_base64(bytes_of("\xff\xfe\xfd")) == "//79");
	for (const char *none : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm9_", "====", "Z==="})
		BOOST_TEST(!from_base64(none).has_value());
}

static Buffer unhex(std::string_view text)
{
	Buffer bytes(text.size() / 2);
	BOOST_REQUIRE(from_hex(text, bytes));
	return bytes;
}

// RFC 8032, section 7.1, tests 1 to 3.
BOOST_AUTO_TEST_CASE(ed25519_signs_and_verifies_as_the_rfc_says)
{
	struct Vector {
		const char *seed, *key, *message, *signature;
	};
	const Vector vectors[] = {
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
			"595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
			"b4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
			"716ed28dc027beceea1ec40a"}};
	for (const Vector &vector : vectors) {
		const SecretKey key(unhex(vector.seed));
		const Buffer message = unhex(vector.message);
		BOOST_TEST(to_hex(key.public_key()) == vector.key);
		Signature signature = key.sign(message);
		BOOST_TEST(to_hex(signature) == vector.signature);
		BOOST_TEST(verify_signature(key.public_key(), message, signature));
		// The same signature with the order of the base point added: what section 5.1.7 refuses.
		const Buffer order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
		Signature other = signature;
		unsigned carry = 0;
		for (std::size_t i = 0; i < 32; i++) {
			carry += other[32 + i] + order[i];
			other[32 + i] = static_cast<std::uint8_t>(carry);
			carry >>= 8;
		}
		BOOST_TEST(!verify_signature(key.public_key(), message, other));
		for (std::size_t i = 0; i < signature.size(); i++) {
			signature[i] ^= 1;
			BOOST_TEST(!verify_signature(key.public_key(), message, signature));
			signature[i] ^= 1;
		}
	}
}

// The example of c2sp.org/signed-note.
BOOST_AUTO_TEST_CASE(a_note_of_the_specification_is_verified)
{
	const VerifierKey key = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	const std::string text =
		"This is an example message.\n\n\xe2\x80\x94 example.com/foo "
		"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
	const SignedNote note = SignedNote::parse(text);
	BOOST_TEST(note.is_signed_by(key));
	BOOST_TEST(note.encoded() == text);
	std::string other = text;
	other[0] = 't';
	BOOST_CHECK_THROW(SignedNote::parse(other).is_signed_by(key), UnprovedError);
	VerifierKey stranger = key;
	stranger.name = "example.com/bar";
	BOOST_TEST(!note.is_signed_by(stranger));
	for (const char *none : {"", "a", "a\n", "\n\n", "a\n\nb\n", "a\n\n\xe2\x80\x94 x AAAA\n", "a\r\n\n"})
		BOOST_CHECK_THROW(SignedNote::parse(none), UnprovedError);
}

BOOST_AUTO_TEST_SUITE_END()
