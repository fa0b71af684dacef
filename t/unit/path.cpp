// Which paths can be stored, and what typed ones mean.
#include "libdig/base/path.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(path)

BOOST_AUTO_TEST_CASE(paths_that_can_be_stored)
{
	for (const char *path : {"a", "a/b", ".a", "..a", "...", "a.", "a b", " ", "-rf", "a\nb", "\xff\xfe",
		     "a\\b", "C:x", "dig", "digs/x", ".digx", ".dig~", "dig~x", "x.dig", ".di", ".digignore",
		     "\xe2\x80\x8b.dig", "d/.dig2", "~", "a/.b/..c", "\x01"})
		BOOST_TEST(path_problem(path) == "", path);
	BOOST_TEST(path_problem(std::string(255, 'x')) == "");
	BOOST_TEST(path_problem(std::string(255, 'd')) == "");
	std::string longest = std::string(255, 'x');
	while (longest.size() + 256 <= max_path_size)
		longest += "/" + std::string(255, 'x');
	if (longest.size() + 1 < max_path_size)
		longest += "/" + std::string(max_path_size - longest.size() - 1, 'x');
	BOOST_TEST(longest.size() == max_path_size);
	BOOST_TEST(path_problem(longest) == "");
	BOOST_TEST(path_problem(longest + "x") == "it is longer than 65535 bytes");
}

BOOST_AUTO_TEST_CASE(paths_that_cannot)
{
	using namespace std::string_literals;
	for (const std::string &path : {""s, "/"s, "/a"s, "a/"s, "a//b"s, "."s, ".."s, "./a"s, "a/."s, "a/.."s,
		     "../a"s, "a/../b"s, "a/./b"s, "a\0b"s, "\0"s, std::string(256, 'x'),
		     "a/" + std::string(256, 'x')})
		BOOST_TEST(path_problem(path) != "", quote(path));
}

BOOST_AUTO_TEST_CASE(names_that_some_file_system_takes_for_the_store_cannot)
{
	for (const char *path : {".dig", "a/.dig", ".dig/config.toml", ".DIG", ".Dig/x", "a/.dIG/b", ".dig.",
		     ".dig ", ".dig. .", ".dig:stream", ".dig::$DATA", "dig~1", "DIG~1/x", "dig~12",
		     ".d\xe2\x80\x8cig", "\xe2\x80\x8d.dig", ".dig\xe2\x80\x8e", ".di\xe2\x81\xaag",
		     "\xef\xbb\xbf.dig", ".d\xe2\x80\xaeig", ".dig\xe2\x80\x8f.", "\xe2\x80\xaa.DIG\xef\xbb\xbf/x"})
		BOOST_TEST(path_problem(path) == "it has a component '.dig', which names a store", path);
	BOOST_TEST(path_problem(".dIG" + std::string(251, ' ')) == "it has a component '.dig', which names a store");
	BOOST_TEST(path_problem("diG~" + std::string(251, '0')) == "it has a component '.dig', which names a store");
}

BOOST_AUTO_TEST_CASE(within_means_whole_components)
{
	BOOST_TEST(is_within("a", ""));
	BOOST_TEST(is_within("a", "a"));
	BOOST_TEST(is_within("a/b", "a"));
	BOOST_TEST(is_within("a/b/c", "a/b"));
	BOOST_TEST(!is_within("ab", "a"));
	BOOST_TEST(!is_within("a-b", "a"));
	BOOST_TEST(!is_within("a", "a/b"));
	BOOST_TEST(!is_within("b/a", "a"));
}

BOOST_AUTO_TEST_CASE(typed_paths_are_resolved_by_text)
{
	BOOST_TEST(normalised_path("a", "", "/w") == "a");
	BOOST_TEST(normalised_path("./a//b/./c/", "", "/w") == "a/b/c");
	BOOST_TEST(normalised_path("x", "d/e", "/w") == "d/e/x");
	BOOST_TEST(normalised_path("../x", "d/e", "/w") == "d/x");
	BOOST_TEST(normalised_path("../..", "d/e", "/w") == "");
	BOOST_TEST(normalised_path(".", "d", "/w") == "d");
	BOOST_TEST(normalised_path("/w/a", "d", "/w") == "a");
	BOOST_TEST(normalised_path("/w", "d", "/w") == "");
	BOOST_TEST(normalised_path("/a/b", "d", "/") == "a/b");
	BOOST_CHECK_THROW(normalised_path("../../..", "d/e", "/w"), Error);
	BOOST_CHECK_THROW(normalised_path("a/../../x", "", "/w"), Error);
	BOOST_CHECK_THROW(normalised_path("/ww/a", "", "/w"), Error);
	BOOST_CHECK_THROW(normalised_path("/w/../x", "", "/w"), Error);
	BOOST_CHECK_THROW(normalised_path("", "", "/w"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
