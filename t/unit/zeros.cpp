// Zeros that are shared, told from other bytes, and hashed.
#include "libdig/base/zeros.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(zeros)

BOOST_AUTO_TEST_CASE(zero_bytes_are_zero_and_shared)
{
	BOOST_TEST(zero_bytes(0).empty());
	BOOST_TEST(zero_bytes(most_zeros).size() == most_zeros);
	BOOST_TEST(is_zero(zero_bytes(most_zeros)));
	BOOST_TEST(zero_bytes(1).data() == zero_bytes(most_zeros).data());
}

BOOST_AUTO_TEST_CASE(one_other_byte_is_seen_wherever_it_is)
{
	for (const std::size_t size : {1, 2, 7, 8, 9, 63, 64, 65, 4096})
		for (const std::size_t at : {std::size_t(0), size / 2, size - 1}) {
			Buffer bytes(size);
			BOOST_TEST(is_zero(bytes));
			bytes[at] = 1;
			BOOST_TEST(!is_zero(bytes), "size " << size << ", byte " << at);
		}
}

// printf '\0' | sha256sum, and head -c N /dev/zero | sha256sum
BOOST_AUTO_TEST_CASE(digests_of_zeros_are_known)
{
	for (int again = 0; again < 2; again++) {
		BOOST_TEST(to_hex(zero_digest(0)) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		BOOST_TEST(to_hex(zero_digest(1)) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
		BOOST_TEST(to_hex(zero_digest(4096)) == "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7");
		BOOST_TEST(to_hex(zero_digest(most_zeros)) ==
			"080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e");
	}
}

BOOST_AUTO_TEST_SUITE_END()
