// The walk over a path and what is below it, with the paths that lie between the two.
#include "libdig/base/path_walk.h"

#include <algorithm>
#include <vector>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

struct VectorCursor {
	const std::vector<std::string> &paths;
	std::size_t number = 0;

	void seek(std::string_view path)
	{
		number = static_cast<std::size_t>(std::ranges::lower_bound(paths, path) - paths.begin());
	}
	bool at_end() const { return number == paths.size(); }
	std::string_view path() const { return paths[number]; }
	void next() { number++; }
};

const std::vector<std::string> all = {"a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "ab", "b"};

std::string joined(std::string text, std::string_view path) { return (text += ' ') += path; }

std::string within(const std::vector<std::string> &paths, std::string_view path)
{
	std::string found;
	each_within(VectorCursor{paths}, path, [&](const VectorCursor &at) { found = joined(found, at.path()); });
	return found;
}

std::string below(const std::vector<std::string> &paths, std::string_view path)
{
	std::string found;
	each_below(VectorCursor{paths}, path, [&](const VectorCursor &at) { found = joined(found, at.path()); });
	return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(path_walk)

BOOST_AUTO_TEST_CASE(a_path_and_what_is_below_it_are_found_across_what_lies_between)
{
	BOOST_TEST(within(all, "a") == " a a/b a/b-c a/b/c");
	BOOST_TEST(within(all, "a/b") == " a/b a/b/c");
	BOOST_TEST(within(all, "b") == " b");
}

BOOST_AUTO_TEST_CASE(a_directory_without_an_element_of_its_own_is_walked)
{
	BOOST_TEST(within({"a-b", "a/b", "a0"}, "a") == " a/b");
	BOOST_TEST(within({"a-b", "a.b", "a0"}, "a") == "");
	BOOST_TEST(within({}, "a") == "");
}

BOOST_AUTO_TEST_CASE(the_empty_path_stands_for_all)
{
	BOOST_TEST(within(all, "") == " a a-b a.b a/b a/b-c a/b/c a0 ab b");
	BOOST_TEST(below(all, "") == within(all, ""));
}

BOOST_AUTO_TEST_CASE(below_leaves_out_the_path_itself)
{
	BOOST_TEST(below(all, "a") == " a/b a/b-c a/b/c");
	BOOST_TEST(below(all, "a/b") == " a/b/c");
	BOOST_TEST(below(all, "b") == "");
}

BOOST_AUTO_TEST_CASE(false_ends_the_walk_where_it_is)
{
	for (const std::string_view last : {"a", "a/b", "a/b-c"}) {
		VectorCursor at{all};
		int calls = 0;
		each_within(at, "a", [&](const VectorCursor &found) {
			calls++;
			return found.path() != last;
		});
		BOOST_TEST(at.path() == last);
		BOOST_TEST(calls == (last == "a" ? 1 : last == "a/b" ? 2 : 3));
	}
}

BOOST_AUTO_TEST_SUITE_END()
