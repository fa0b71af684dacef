#include "libdig/worktree/wildcard.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

bool matches(const char *pattern, const char *text)
{
	Wildcard wildcard;
	BOOST_REQUIRE(wildcard.compile(pattern, 0));
	return wildcard.matches(text);
}

} // namespace

BOOST_AUTO_TEST_SUITE(wildcard)

BOOST_AUTO_TEST_CASE(a_star_takes_anything_but_a_slash)
{
	BOOST_CHECK(matches("*.o", ".o") && matches("*.o", "a.b.o") && matches("a*b*c", "aXbYc"));
	BOOST_CHECK(!matches("*.o", "a/b.o") && !matches("a*b*c", "aXbY") && !matches("a*", "a/b"));
}

BOOST_AUTO_TEST_CASE(two_stars_take_directories)
{
	BOOST_CHECK(matches("a/**/b", "a/b") && matches("a/**/b", "a/x/y/b") && matches("**/b", "b"));
	BOOST_CHECK(matches("a/**", "a/x/y") && !matches("a/**/b", "a/xb") && !matches("a/**/b/c", "a/b/x/c"));
	BOOST_CHECK(!matches("a**/b", "a/x/b") && matches("a**/b", "ax/b"));
}

BOOST_AUTO_TEST_CASE(brackets_are_sets)
{
	BOOST_CHECK(matches("[a-c]", "b") && matches("[!a-c]", "d") && matches("[]x]", "]") && matches("[[:digit:]]", "7"));
	BOOST_CHECK(!matches("[a-c]", "d") && !matches("[!a]", "/") && !matches("[^a-c]", "a"));
}

BOOST_AUTO_TEST_CASE(a_malformed_pattern_does_not_compile)
{
	for (const char *pattern : {"[", "[a", "[]", "[[:no:]]", "a\\"})
		BOOST_CHECK(!Wildcard().compile(pattern, 0));
}

BOOST_AUTO_TEST_CASE(what_has_one_text_is_a_literal)
{
	Wildcard literal, starred;
	BOOST_REQUIRE(literal.compile("a\\*b", 0) && starred.compile("x*.o", 1));
	BOOST_CHECK(literal.literal() == "a*b");
	BOOST_CHECK(!starred.literal() && starred.tail_of_star() == ".o");
}

BOOST_AUTO_TEST_SUITE_END()
