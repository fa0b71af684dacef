// Sizes as they are typed, and as people read them.
#include "libdig/base/byte_size.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(byte_size)

BOOST_AUTO_TEST_CASE(sizes_have_units_of_1024)
{
	BOOST_TEST(parse_size("256KB").value() == 262144U);
	BOOST_TEST(parse_size("2GB").value() == 2147483648U);
	BOOST_TEST(parse_size("1TB").value() == 1099511627776U);
	BOOST_TEST(parse_size("17B").value() == 17U);
	BOOST_TEST(parse_size("17").value() == 17U);
	BOOST_TEST(parse_size("0MB").value() == 0U);
	BOOST_TEST(parse_size("9223372036854775807").value() == 9223372036854775807U);
	for (const char *text : {"", "KB", "-1", "+1", "1.5MB", "64 KB", "64kb", "64K", "64KiB", "1KBB",
			 "9223372036854775808", "8388608TB", "18446744073709551617"})
		BOOST_TEST(!parse_size(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_size_is_shown_in_its_largest_whole_unit)
{
	for (const char *text : {"0", "1B", "1000B", "1KB", "1536KB", "80MB", "1GB", "3TB", "1025TB"})
		BOOST_TEST(exact_size_text(parse_size(text).value()) == text);
	BOOST_TEST(exact_size_text(2048) == "2KB");
}

BOOST_AUTO_TEST_CASE(sizes_have_three_digits)
{
	BOOST_TEST(size_text(0) == "0 bytes");
	BOOST_TEST(size_text(999) == "999 bytes");
	BOOST_TEST(size_text(1000) == "0.98 KiB");
	BOOST_TEST(size_text(1536) == "1.50 KiB");
	BOOST_TEST(size_text(123.4 * 1024 * 1024) == "123 MiB");
	BOOST_TEST(size_text(4.0 * 1024 * 1024 * 1024) == "4.00 GiB");
}

BOOST_AUTO_TEST_SUITE_END()
