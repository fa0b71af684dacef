#include "libdig/store/evidence.h"

#include <boost/test/unit_test.hpp>

using namespace dig;
using Part = VerifiedParts::Part;
using Parts = std::vector<Part>;

BOOST_AUTO_TEST_SUITE(evidence)

BOOST_AUTO_TEST_CASE(the_last_look_counts)
{
	VerifiedParts parts;
	parts.add({0, 10, 100000});
	parts.add({4, 6, 200000});
	BOOST_TEST((parts.parts() == Parts{{0, 4, 100000}, {4, 6, 200000}, {6, 10, 100000}}));
	parts.add({0, 10, 300000});
	BOOST_TEST((parts.parts() == Parts{{0, 10, 300000}}));
	parts.add({3, 3, 400000});
	BOOST_TEST((parts.parts() == Parts{{0, 10, 300000}}));
}

BOOST_AUTO_TEST_CASE(neighbours_of_one_hour_are_one_part_of_the_older_time)
{
	VerifiedParts parts;
	parts.add({0, 2, 100000});
	parts.add({2, 4, 100000 + Evidence::near_s});
	BOOST_TEST((parts.parts() == Parts{{0, 4, 100000}}));
	parts.add({5, 6, 100000});
	BOOST_TEST(parts.parts().size() == 2U);
}

BOOST_AUTO_TEST_CASE(gaps_were_never_verified)
{
	VerifiedParts parts;
	BOOST_TEST((parts.with_gaps(5) == Parts{{0, 5, 0}}));
	parts.add({2, 4, 7});
	BOOST_TEST((parts.with_gaps(6) == Parts{{0, 2, 0}, {2, 4, 7}, {4, 6, 0}}));
	BOOST_TEST((parts.with_gaps(3) == Parts{{0, 2, 0}, {2, 3, 7}}));
	parts.remove(3, 4);
	BOOST_TEST((parts.with_gaps(4) == Parts{{0, 2, 0}, {2, 3, 7}, {3, 4, 0}}));
	BOOST_TEST(parts.with_gaps(0).empty());
}

BOOST_AUTO_TEST_CASE(of_too_many_parts_the_smallest_are_forgotten)
{
	VerifiedParts parts;
	parts.add({0, 1, 7});
	for (std::uint64_t i = 1; i <= VerifiedParts::most; i++)
		parts.add({i * 10, i * 10 + 2, 7});
	BOOST_TEST(parts.parts().size() == VerifiedParts::most);
	BOOST_TEST(parts.parts().front().first == 10U);
}

BOOST_AUTO_TEST_SUITE_END()
