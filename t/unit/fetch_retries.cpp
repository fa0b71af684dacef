#include "libdig/fetch/fetch_retries.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(fetch_retries)

BOOST_AUTO_TEST_CASE(attempts_that_bring_nothing_are_counted_and_come_more_slowly)
{
	FetchRetries retries(3);
	BOOST_TEST(retries.next(0, 0, 0).value() == 250'000'000);
	BOOST_TEST(retries.next(65535, 0, 0).value() == 500'000'000);
	BOOST_TEST(retries.next(0, 0, 0).value() == 1'000'000'000);
	BOOST_TEST(!retries.next(65535, 0, 0).has_value());
	BOOST_TEST(retries.next(65536, 0, 0).value() == 250'000'000);
}

BOOST_AUTO_TEST_CASE(a_server_may_ask_for_a_minute_at_most)
{
	FetchRetries retries(100);
	BOOST_TEST(retries.next(0, 3, 0).value() == 3'000'000'000);
	BOOST_TEST(retries.next(0, 10000, 0).value() == 60'000'000'000);
	for (int i = 0; i < 50; i++)
		BOOST_TEST(retries.next(0, 0, i).value() <= 8'000'000'000);
}

BOOST_AUTO_TEST_SUITE_END()
