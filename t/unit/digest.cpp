#include <random>

#include <boost/test/unit_test.hpp>
#include <zlib.h>

#include "libdig/base/digest.h"
#include "libdig/base/digest_kernels.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(digest)

// The check value of CRC-32/ISO-HDLC, and the same text over 64 bytes long.
BOOST_AUTO_TEST_CASE(crc32_is_the_published_one)
{
	BOOST_TEST(crc32_of(bytes_of("123456789")) == 0xcbf43926U);
	std::string text;
	for (int i = 0; i < 100; i++)
		text += "123456789";
	BOOST_TEST(crc32_of(bytes_of(text)) == ::crc32_z(0, reinterpret_cast<const Bytef *>(text.data()), text.size()));
	BOOST_TEST(crc32_of({}) == 0U);
}

// zlib's is the reference.
BOOST_AUTO_TEST_CASE(crc32_is_that_of_zlib_at_every_length_and_offset)
{
	std::mt19937 random(1);
	Buffer bytes(5000);
	for (std::uint8_t &byte : bytes)
		byte = static_cast<std::uint8_t>(random());
	const auto check = [&](std::size_t offset, std::size_t size, std::uint32_t before) {
		const Bytes part = Bytes(bytes).subspan(offset, size);
		BOOST_REQUIRE(crc32_of(part, before) == ::crc32_z(before, part.data(), part.size()));
	};
	for (std::size_t size = 0; size < 700; size++)
		for (std::size_t offset : {0, 1, 7, 63})
			check(offset, size, static_cast<std::uint32_t>(random()));
	for (int i = 0; i < 1000; i++) {
		const std::size_t offset = random() % 1000;
		check(offset, random() % (bytes.size() - offset), static_cast<std::uint32_t>(random()));
	}
}

BOOST_AUTO_TEST_CASE(folding_is_what_crc32_does, *boost::unit_test::precondition([](auto) { return can_fold_crc32(); }))
{
	const Buffer bytes(4096, 'x');
	BOOST_TEST(~fold_crc32(bytes, ~0U) == ::crc32_z(0, bytes.data(), bytes.size()));
}

BOOST_AUTO_TEST_SUITE_END()
