#include "libdig/fetch/fetch_protocol.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(fetch_protocol)

BOOST_AUTO_TEST_CASE(requests_and_objects_have_a_way_back)
{
	for (const char *text : {"0 - -\thttp://x", "5 7 etag:\"a\"\thttp://x/ y",
		"7 7 date:Sun, 06 Nov 1994 08:49:37 GMT\tu"})
		BOOST_TEST(FetchRequest::parse(text).value().text() == text);
	for (const char *text : {"object - 0 -", "object 5 3 etag:\"a\"", "object 9 9 date:Sun, 06 Nov 1994 08:49:37 GMT"})
		BOOST_TEST(FetchedObject::parse(text).value().text() == text);
	for (const char *text : {"done", "changed", "failed because of this"})
		BOOST_TEST(FetchEnd::parse(text).value().text() == text);
}

BOOST_AUTO_TEST_CASE(anything_else_is_none)
{
	for (const char *text : {"", "0 - -", "8 7 -\tu", "-1 - -\tu", "0 - x\tu", "0 -\tu", "0 - etag:\"\n\"\tu"})
		BOOST_TEST(!FetchRequest::parse(text).has_value(), text);
	for (const char *text : {"", "object", "object 5", "object 5 6 -", "object x 0 -", "object 5 0 x"})
		BOOST_TEST(!FetchedObject::parse(text).has_value(), text);
	for (const char *text : {"", "do", "failed"})
		BOOST_TEST(!FetchEnd::parse(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
