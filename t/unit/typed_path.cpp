// Paths from where somebody is.
#include "libdig/tool/typed_path.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(typed_path)

BOOST_AUTO_TEST_CASE(a_path_is_shown_from_a_directory)
{
	BOOST_TEST(relative_path("a/b", "") == "a/b");
	BOOST_TEST(relative_path("a/b", "a") == "b");
	BOOST_TEST(relative_path("a/b", "a/c") == "../b");
	BOOST_TEST(relative_path("ab", "a") == "../ab");
	BOOST_TEST(relative_path("a/b", "a/b/c/d") == "../../");
	BOOST_TEST(relative_path("a", "a") == ".");
	BOOST_TEST(relative_path("a/", "a") == "./");
	BOOST_TEST(relative_path("a/", "b") == "../a/");
	BOOST_TEST(relative_path("x/y", "a/b/c") == "../../../x/y");
}

BOOST_AUTO_TEST_CASE(a_message_names_the_path_from_there)
{
	BOOST_TEST(relative_message("cannot open 'a/b': no", "a/b", "a") == "cannot open 'b': no");
	BOOST_TEST(relative_message("cannot open 'a/bc': no", "a/b", "a") == "cannot open 'a/bc': no");
}

BOOST_AUTO_TEST_SUITE_END()
