#include "libdig/verbs/retention.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(retention)

BOOST_AUTO_TEST_CASE(spans_of_time)
{
	BOOST_TEST(parse_duration("36h") == 36 * 3600);
	BOOST_TEST(parse_duration("1y6m") == (366 + 6 * 31) * 86400);
	for (const char *text : {"", "0d", "d", "3", "3x", "-3d", "3d ", "99999999999y", "999999999999999999999d"})
		BOOST_CHECK_THROW(parse_duration(text), UsageError);
	BOOST_TEST(parse_short_duration("90") == 90);
	BOOST_TEST(parse_short_duration("1h30m") == 5400);
	for (const char *text : {"", "0", "1d", "m", "1.5h"})
		BOOST_CHECK_THROW(parse_short_duration(text), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
