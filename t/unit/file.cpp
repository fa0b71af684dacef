// Times between the forms that the system and that dig have.
#include "libdig/os/clock.h"

#include <boost/test/unit_test.hpp>

#include "libdig/os/file.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(file)

BOOST_AUTO_TEST_CASE(times_come_back)
{
	for (const std::int64_t ns : {std::int64_t(0), std::int64_t(1), std::int64_t(-1),
			 nanoseconds_a_second, -nanoseconds_a_second, -nanoseconds_a_second - 1, first_time_ns,
			 first_time_ns + 1, last_time_ns - 1, last_time_ns}) {
		const timespec time = timespec_of(ns);
		BOOST_TEST(time.tv_nsec >= 0);
		BOOST_TEST(time.tv_nsec < nanoseconds_a_second);
		BOOST_TEST(time.tv_sec == seconds_of(ns));
		BOOST_TEST(nanoseconds_of(time) == ns);
	}
}

BOOST_AUTO_TEST_CASE(seconds_are_rounded_down)
{
	BOOST_TEST(seconds_of(999'999'999) == 0);
	BOOST_TEST(seconds_of(-1) == -1);
	BOOST_TEST(seconds_of(-nanoseconds_a_second) == -1);
	BOOST_TEST(seconds_of(-nanoseconds_a_second - 1) == -2);
}

BOOST_AUTO_TEST_CASE(times_outside_of_64_bits_become_the_nearest)
{
	BOOST_TEST(nanoseconds_of({9223372036, 854775807}) == last_time_ns);
	for (const timespec &time : {timespec{9223372036, 854775808}, timespec{9223372037, 0},
			 timespec{INT64_MAX, 999'999'999}})
		BOOST_TEST(nanoseconds_of(time) == last_time_ns);
	BOOST_TEST(nanoseconds_of({-9223372037, 145224192}) == first_time_ns);
	for (const timespec &time : {timespec{-9223372037, 145224191},
			 timespec{-9223372038, 999'999'999}, timespec{INT64_MIN, 0}})
		BOOST_TEST(nanoseconds_of(time) == first_time_ns);
}

BOOST_AUTO_TEST_SUITE_END()
