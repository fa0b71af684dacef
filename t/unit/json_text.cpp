// Texts and bytes in JSON.
#include "libdig/base/json_text.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(json_text)

BOOST_AUTO_TEST_CASE(each_character_is_said)
{
	BOOST_TEST(exact_json_string("a\"b\\c\n\t\x01\x7f") == "\"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f\"");
	BOOST_TEST(exact_json_string("\xc3\xa4") == "\"\xc3\xa4\"");
	BOOST_TEST(exact_json_string("a\xff") == "\"a\xef\xbf\xbd\"");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_UTF_8_have_a_field_of_their_own)
{
	BOOST_TEST(json_field("path", "a/b") == "\"path\":\"a/b\"");
	BOOST_TEST(json_field("path", "a\xff") == "\"path_b64\":\"Yf8=\"");
	BOOST_TEST(json_field("path", "\xed\xa0\x80") == "\"path_b64\":\"7aCA\"");
}

BOOST_AUTO_TEST_SUITE_END()
