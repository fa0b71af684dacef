#include "libdig/format/sorted_texts.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(sorted_texts)

BOOST_AUTO_TEST_CASE(texts_come_in_order_however_small_the_room)
{
	std::mt19937 random(1);
	std::vector<std::string> expected;
	for (int i = 0; i < 20000; i++)
		expected.push_back(std::string(random() % 40, static_cast<char>(random())) + std::to_string(random() % 5000));
	for (const std::size_t room : {1 << 24, 100000, 3000, 16}) {
		if (room == 16)
			expected.resize(1000);
		SortedTexts texts(".", room);
		BOOST_TEST(texts.is_empty());
		for (const std::string &text : expected)
			texts.add(text);
		std::vector<std::string> sorted = expected;
		std::sort(sorted.begin(), sorted.end());
		for (int i = 0; i < 2; i++) {
			std::vector<std::string> actual;
			texts.each([&](std::string_view text) { actual.emplace_back(text); });
			BOOST_REQUIRE((actual == sorted));
		}
	}
}

BOOST_AUTO_TEST_CASE(what_comes_after_a_look_is_there_at_the_next)
{
	SortedTexts texts("nowhere", 50);
	std::string all;
	const auto take = [&](std::string_view text) { (all += text) += ' '; };
	texts.add("b");
	texts.each(take);
	for (const char *text : {"a-longer-text-than-what-the-room-holds-in-memory", "", "c"})
		texts.add(text);
	texts.each(take);
	BOOST_TEST(all == "b  a-longer-text-than-what-the-room-holds-in-memory b c ");
}

BOOST_AUTO_TEST_SUITE_END()
