#include "libdig/format/record_sorter.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/os/environment.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(record_sorter)

static std::vector<std::uint64_t> numbers(std::size_t count)
{
	std::mt19937_64 random(count);
	std::vector<std::uint64_t> numbers(count);
	for (std::uint64_t &number : numbers)
		number = random() % (count + 1); // some are equal
	return numbers;
}

// In memory, in some pieces, and in more pieces than are merged at once.
BOOST_AUTO_TEST_CASE(all_records_come_in_order_as_often_as_they_are_wanted)
{
	for (const std::size_t count : {0, 1, 1000, 60000}) {
		std::vector<std::uint64_t> expected = numbers(count);
		RecordSorter<std::uint64_t> sorter(temporary_directory(), 1024);
		for (const std::uint64_t number : expected)
			sorter.put(number);
		std::sort(expected.begin(), expected.end());
		BOOST_TEST(sorter.count() == count);
		for (int time = 0; time < 2; time++) {
			std::vector<std::uint64_t> actual;
			for (auto next = sorter.sorted(); const std::optional<std::uint64_t> number = next();)
				actual.push_back(*number);
			BOOST_TEST((actual == expected), count << " records");
		}
	}
}

BOOST_AUTO_TEST_SUITE_END()
