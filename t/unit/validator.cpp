#include "libdig/fetch/validator.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(validator)

BOOST_AUTO_TEST_CASE(a_date_of_http_is_seconds_since_1970)
{
	BOOST_TEST(seconds_of_http_date("Thu, 01 Jan 1970 00:00:00 GMT").value() == 0);
	BOOST_TEST(seconds_of_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value() == 784111777);
	BOOST_TEST(seconds_of_http_date("Tue, 29 Feb 2000 23:59:59 GMT").value() == 951868799);
	BOOST_TEST(seconds_of_http_date("Mon, 31 Dec 2091 00:00:00 GMT").value() == 3849897600);
	for (const char *text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, x6 Nov 1994 08:49:37 GMT"})
		BOOST_TEST(!seconds_of_http_date(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_date_proves_something_only_when_its_second_is_over)
{
	const char *modified = "Sun, 06 Nov 1994 08:49:37 GMT";
	BOOST_TEST(!validator_of_date(modified, modified).has_value());
	BOOST_TEST(!validator_of_date(modified, "Sun, 06 Nov 1994 08:49:38 GMT").has_value());
	BOOST_TEST(!validator_of_date(modified, "").has_value());
	BOOST_TEST(validator_of_date(modified, "Sun, 06 Nov 1994 08:49:39 GMT").value() == std::string("date:") + modified);
}

BOOST_AUTO_TEST_CASE(only_a_strong_etag_in_its_form_is_one)
{
	BOOST_TEST(validator_of_etag("\"a-1\"").value() == "etag:\"a-1\"");
	BOOST_TEST(validator_of_etag("\"\"").has_value());
	for (const char *text : {"", "\"", "a", "W/\"a\"", "\"a\"b\"", "\"a b\"", "\"a\r\nX: y\""})
		BOOST_TEST(!validator_of_etag(text).has_value(), text);
	BOOST_TEST(!validator_of_etag('"' + std::string(2000, 'x') + '"').has_value());
}

BOOST_AUTO_TEST_CASE(a_text_is_a_validator_by_its_kind)
{
	for (const char *text : {"etag:\"x\"", "date:Sun, 06 Nov 1994 08:49:37 GMT", "time:17", "file:1.2.3.4"})
		BOOST_TEST(is_validator(text), text);
	for (const char *text : {"", "-", "etag:x", "date:now", "time:", "file:1 2", "other:1", "etag:\"\n\""})
		BOOST_TEST(!is_validator(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
