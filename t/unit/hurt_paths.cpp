#include "libdig/verbs/hurt_paths.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(hurt_paths)

struct Fixture {
	std::vector<std::string> told;
	HurtPaths paths{[this](const HurtPaths::Told &hurt) {
		told.push_back(hurt.path + " " + std::to_string(hurt.first) + "-" + std::to_string(hurt.last) +
			(hurt.is_open ? "+" : ""));
	}};
};

using Texts = std::vector<std::string>;

BOOST_FIXTURE_TEST_CASE(states_that_follow_each_other_are_one, Fixture)
{
	paths.begin("a", 2, "why");
	paths.begin("b", 2, "why");
	paths.finish_state(1);
	paths.finish_state(2);
	paths.end("a");
	paths.finish_state(3);
	BOOST_TEST((told == Texts{"a 2-3"}));
	paths.end_all(7);
	BOOST_TEST((told == Texts{"a 2-3", "b 2-7"}));
	BOOST_TEST(paths.count() == 2U);
	BOOST_TEST(paths.first() == 2U);
	BOOST_TEST(paths.last() == 7U);
}

BOOST_FIXTURE_TEST_CASE(another_content_that_is_damaged_is_told_by_itself, Fixture)
{
	paths.begin("a", 1, "why");
	paths.finish_state(0);
	paths.end("a");
	paths.begin("a", 2, "why");
	paths.finish_state(1);
	paths.end_all(2);
	BOOST_TEST((told == Texts{"a 1-1", "a 2-2"}));
}

// What was seen of a state before its list proved to be damaged says nothing of the others.
BOOST_FIXTURE_TEST_CASE(a_state_whose_list_is_damaged_stands_alone, Fixture)
{
	paths.begin("a", 1, "why");
	paths.finish_state(0);
	paths.end("a");
	paths.begin("b", 2, "why");
	paths.give_up_state();
	BOOST_TEST((told == Texts{"b 2-2"}));
	paths.finish_state(1);
	paths.end_all(3);
	BOOST_TEST((told == Texts{"b 2-2", "a 1-3"}));
}

BOOST_FIXTURE_TEST_CASE(memory_is_bounded, Fixture)
{
	for (int i = 0; i < 10001; i++)
		paths.begin(std::to_string(i), 1, "why");
	BOOST_TEST((told == Texts{"10000 1-1+"}));
}

BOOST_AUTO_TEST_SUITE_END()
