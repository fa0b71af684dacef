#include "libdig/gateway/http_conditions.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(http_conditions)

static const ContentTag tag{"\"abc\"", 784111777};
static constexpr char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

BOOST_AUTO_TEST_CASE(a_list_of_tags_names_a_tag)
{
	for (const char *list : {"\"abc\"", " \"abc\" ", "\"x\", \"abc\"", "\"x\",,\"abc\"",
			"\"a,b\" , \"abc\",\"y\"", "*", " * "})
		BOOST_TEST(names_tag(list, tag.etag, false), list);
	for (const char *list : {"", "abc", "\"abc", "\"x\" \"abc\"", "\"abcd\"",
			"w/\"abc\"", "\"x\", abc", "W/", "\"\"", "**"})
		BOOST_TEST(!names_tag(list, tag.etag, true), list);
	BOOST_TEST(names_tag("W/\"abc\"", tag.etag, true));
	BOOST_TEST(!names_tag("W/\"abc\"", tag.etag, false));
	BOOST_TEST(names_tag("W/\"x\", W/\"abc\"", tag.etag, true));
}

BOOST_AUTO_TEST_CASE(conditions_count_in_the_order_of_the_standard)
{
	const auto verdict = [](Conditions conditions) { return judge(conditions, tag); };
	BOOST_TEST((verdict({}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_match = "\"abc\""}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_match = "W/\"abc\""}) == Verdict::failed));
	BOOST_TEST((verdict({.if_match = "nonsense"}) == Verdict::failed));
	BOOST_TEST((verdict({.if_none_match = "\"abc\""}) == Verdict::not_modified));
	BOOST_TEST((verdict({.if_none_match = "W/\"abc\""}) == Verdict::not_modified));
	BOOST_TEST((verdict({.if_none_match = "\"x\""}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_none_match = "\"x\"", .if_modified_since = date}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_modified_since = date}) == Verdict::not_modified));
	BOOST_TEST((verdict({.if_modified_since = "Sun, 06 Nov 1994 08:49:38 GMT"}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_modified_since = "yesterday"}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_unmodified_since = date}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_unmodified_since = "Sun, 06 Nov 1994 08:49:36 GMT"}) == Verdict::failed));
	BOOST_TEST((verdict({.if_unmodified_since = "yesterday"}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_match = "*",
		.if_unmodified_since = "Sun, 06 Nov 1994 08:49:36 GMT"}) == Verdict::proceed));
	BOOST_TEST((verdict({.if_match = "\"x\"", .if_none_match = "\"abc\""}) == Verdict::failed));
}

static RangeWish wish(std::string_view range, std::uint64_t size = 100, std::string_view if_range = "")
{
	return wished_range({.if_range = if_range, .range = range}, tag, size);
}

BOOST_AUTO_TEST_CASE(one_range_is_a_part)
{
	const auto is_part = [](const RangeWish &wished, std::uint64_t offset, std::uint64_t size) {
		return wished.kind == RangeWish::Kind::part && wished.extent == ByteRange::Extent{offset, size};
	};
	BOOST_TEST(is_part(wish("bytes=0-9"), 0, 10));
	BOOST_TEST(is_part(wish("bytes=90-"), 90, 10));
	BOOST_TEST(is_part(wish("bytes=-10"), 90, 10));
	BOOST_TEST(is_part(wish("bytes=-1000"), 0, 100));
	BOOST_TEST(is_part(wish("bytes=50-18446744073709551615"), 50, 50));
	BOOST_TEST(is_part(wish("Bytes= 5-5 "), 5, 1));
	BOOST_TEST(is_part(wish("bytes=,5-5,"), 5, 1));
}

BOOST_AUTO_TEST_CASE(what_is_no_range_is_ignored)
{
	for (const char *range : {"", "bytes", "bytes=", "bytes=,", "lines=1-2", "bytes=5-4", "bytes=a-b", "bytes=-",
			"bytes=1",
			"bytes=1-2x", "bytes=0x1-2", "bytes=--1",
			"bytes=99999999999999999999-", "bytes=1-2,x", "bytes:1-2"})
		BOOST_TEST((wish(range).kind == RangeWish::Kind::whole), range);
}

BOOST_AUTO_TEST_CASE(several_ranges_and_those_behind_the_end_are_refused)
{
	for (const char *range : {"bytes=100-", "bytes=100-200", "bytes=-0", "bytes=0-1,2-3", "bytes=0-0,0-0,0-0",
			"bytes=0-1,500-"})
		BOOST_TEST((wish(range).kind == RangeWish::Kind::unsatisfiable), range);
	BOOST_TEST((wish("bytes=0-", 0).kind == RangeWish::Kind::unsatisfiable));
	BOOST_TEST((wish("bytes=-5", 0).kind == RangeWish::Kind::whole));
}

BOOST_AUTO_TEST_CASE(a_range_may_depend_on_the_content)
{
	BOOST_TEST((wish("bytes=0-9", 100, "\"abc\"").kind == RangeWish::Kind::part));
	BOOST_TEST((wish("bytes=0-9", 100, date).kind == RangeWish::Kind::part));
	for (const char *if_range : {"\"x\"", "W/\"abc\"", "Sun, 06 Nov 1994 08:49:38 GMT", "yesterday", "\"abc\", \"x\""})
		BOOST_TEST((wish("bytes=0-9", 100, if_range).kind == RangeWish::Kind::whole), if_range);
}

BOOST_AUTO_TEST_CASE(times_are_told_as_http_and_json_have_them)
{
	BOOST_TEST(http_date(784111777) == date);
	BOOST_TEST(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
	BOOST_TEST(http_date(-1) == "");
	BOOST_TEST(http_date(253402300799) == "Fri, 31 Dec 9999 23:59:59 GMT");
	BOOST_TEST(http_date(253402300800) == "");
	BOOST_TEST(exact_time(784111777000000001) == "1994-11-06T08:49:37.000000001Z");
	BOOST_TEST(exact_time(-1) == "1969-12-31T23:59:59.999999999Z");
}

BOOST_AUTO_TEST_SUITE_END()
