// Which points in time a person can name, and what they stand for.
#include "libdig/os/typed_time.h"

#include <cstdlib>
#include <ctime>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

namespace {

// A zone for the length of a test.
struct Zone {
	explicit Zone(const char *name) : before(::getenv("TZ") ? ::getenv("TZ") : "")
	{
		::setenv("TZ", name, 1);
		::tzset();
	}
	~Zone()
	{
		::setenv("TZ", before.c_str(), 1);
		::tzset();
	}
	std::string before;
};

// 2023-11-14 22:13:20 UTC, a Tuesday.
constexpr std::int64_t now_s = 1700000000;

std::string span(const char *text, std::int64_t now = now_s)
{
	const std::optional<TypedTime> time = parse_typed_time(text, now);
	if (!time)
		return "none";
	const std::string first = utc_text(time->first_s), last = utc_text(time->last_s);
	return first == last ? first : first + " to " + last;
}

} // namespace

BOOST_AUTO_TEST_SUITE(typed_time)

BOOST_AUTO_TEST_CASE(a_date_is_a_day_and_a_minute_has_sixty_seconds)
{
	const Zone zone("UTC");
	BOOST_TEST(span("2026-11-01") == "2026-11-01 00:00:00 UTC to 2026-11-01 23:59:59 UTC");
	BOOST_TEST(span("2026-11-01T14:30") == "2026-11-01 14:30:00 UTC to 2026-11-01 14:30:59 UTC");
	BOOST_TEST(span("2026-11-01 14:30:15") == "2026-11-01 14:30:15 UTC");
	BOOST_TEST(span("2026-11-01t14:30:15.75z") == "2026-11-01 14:30:15 UTC");
	BOOST_TEST(span("0001-01-01T00:00:00Z") == "0001-01-01 00:00:00 UTC");
	BOOST_TEST(span("1969-12-31T23:59:59Z") == "1969-12-31 23:59:59 UTC");
	BOOST_TEST(span("9999-12-31 23:59:59") == "9999-12-31 23:59:59 UTC");
	BOOST_TEST(span("@1700000000") == "2023-11-14 22:13:20 UTC");
}

BOOST_AUTO_TEST_CASE(a_zone_may_follow_and_is_that_of_TZ_otherwise)
{
	const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
	BOOST_TEST(span("2026-07-01 12:00:00") == "2026-07-01 10:00:00 UTC");
	BOOST_TEST(span("2026-01-01 12:00:00") == "2026-01-01 11:00:00 UTC");
	BOOST_TEST(span("2026-07-01 12:00:00 +0530") == "2026-07-01 06:30:00 UTC");
	BOOST_TEST(span("2026-07-01T12:00:00-03:30") == "2026-07-01 15:30:00 UTC");
	BOOST_TEST(span("2026-07-01T12:00:00+01") == "2026-07-01 11:00:00 UTC");
	BOOST_TEST(span("2026-07-01 12:00:00 UTC") == "2026-07-01 12:00:00 UTC");
	// A day that has 23 hours, and one that has 25.
	BOOST_TEST(span("2026-03-29") == "2026-03-28 23:00:00 UTC to 2026-03-29 21:59:59 UTC");
	BOOST_TEST(span("2026-10-25") == "2026-10-24 22:00:00 UTC to 2026-10-25 22:59:59 UTC");
}

BOOST_AUTO_TEST_CASE(words_and_counts_are_seen_from_now)
{
	const Zone zone("UTC");
	BOOST_TEST(span("now") == "2023-11-14 22:13:20 UTC");
	BOOST_TEST(span("Today") == "2023-11-14 00:00:00 UTC to 2023-11-14 23:59:59 UTC");
	BOOST_TEST(span("yesterday") == "2023-11-13 00:00:00 UTC to 2023-11-13 23:59:59 UTC");
	BOOST_TEST(span("1 second ago") == "2023-11-14 22:13:19 UTC");
	BOOST_TEST(span("90 minutes ago") == "2023-11-14 20:43:20 UTC");
	BOOST_TEST(span("2 days ago") == "2023-11-12 22:13:20 UTC");
	BOOST_TEST(span("2.days.ago") == "2023-11-12 22:13:20 UTC");
	BOOST_TEST(span("3 weeks ago") == "2023-10-24 22:13:20 UTC");
	BOOST_TEST(span("11 months ago") == "2022-12-14 22:13:20 UTC");
	BOOST_TEST(span("23 months ago") == "2021-12-14 22:13:20 UTC");
	BOOST_TEST(span("10 years ago") == "2013-11-14 22:13:20 UTC");
	// 2024-03-31 12:00:00 UTC; 2024-02-29 12:00:00 UTC.
	BOOST_TEST(span("1 month ago", 1711886400) == "2024-02-29 12:00:00 UTC");
	BOOST_TEST(span("1 year ago", 1709208000) == "2023-02-28 12:00:00 UTC");
}

BOOST_AUTO_TEST_CASE(what_is_no_time_is_refused)
{
	const Zone zone("UTC");
	for (const char *text : {"", " ", "2026", "2026-11", "2026-13-01", "2026-00-10", "2026-02-30", "2025-02-29",
		"2026-04-31", "2026-11-01T", "2026-11-01 24:00", "2026-11-01 12:60", "2026-11-01 12:00:60", "2026-11-01 12",
		"2026-11-01x", "2026-11-01 12:00:00 +25:00", "2026-11-01 12:00:00 CET", "2026-11-01 12:00:00.", "26-11-01",
		"-2026-11-01", "1/11/2026", "2 days", "two days ago", "days ago", "2 fortnights ago", "2daysago",
		"99999999999 days ago", "1000000001 seconds ago", "-1 days ago", "tomorrow", "@", "@x", "@-1",
		"@99999999999999999999", "2026-11-01 ", "+0100"})
		BOOST_TEST(span(text) == "none", text);
	BOOST_TEST(!parse_typed_time(std::string(100000, '1'), now_s));
	BOOST_TEST(span("1900-02-28") != "none");
	BOOST_TEST(span("1900-02-29") == "none");
	BOOST_TEST(span("2000-02-29") != "none");
	BOOST_CHECK_THROW(get_typed_time("soon", now_s), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
