// Large memory: where it begins, who has it, and what comes of too much.
#include "libdig/os/arena.h"

#include <new>
#include <utility>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

constexpr std::size_t huge_page = std::size_t(2) << 20;
constexpr std::size_t too_much = std::size_t(1) << 60; // of any address space

bool begins_a_huge_page(const void *memory)
{
	return reinterpret_cast<std::uintptr_t>(memory) % huge_page == 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arena)

BOOST_AUTO_TEST_CASE(it_begins_on_a_huge_page_and_is_zero)
{
	for (const std::size_t size : {1, 5000, 3000000}) {
		const Arena arena(size);
		BOOST_TEST(arena.size() == size);
		BOOST_TEST(begins_a_huge_page(arena.data()));
		BOOST_TEST(arena.bytes().front() == 0);
		arena.bytes().back() = 1;
	}
}

BOOST_AUTO_TEST_CASE(one_that_was_moved_has_the_same_memory)
{
	Arena first(100);
	first.data()[99] = 7;
	std::uint8_t *const memory = first.data();
	Arena second(std::move(first));
	BOOST_TEST((second.data() == memory));
	BOOST_TEST(second.size() == 100U);
	BOOST_TEST((first.data() == nullptr));
	BOOST_TEST(first.size() == 0U);
	Arena third(5);
	third = std::move(second);
	BOOST_TEST((third.data() == memory));
	BOOST_TEST(third.bytes().back() == 7);
}

BOOST_AUTO_TEST_CASE(large_containers_lie_on_huge_pages_and_small_ones_need_not)
{
	LargeVector<std::uint64_t> numbers;
	for (std::uint64_t i = 0; i < 300000; i++)
		numbers.push_back(i);
	BOOST_TEST(begins_a_huge_page(numbers.data()));
	std::uint64_t sum = 0;
	for (const std::uint64_t number : numbers)
		sum += number;
	BOOST_TEST(sum == 44999850000U);
}

BOOST_AUTO_TEST_CASE(more_than_there_is_throws)
{
	BOOST_CHECK_THROW(Arena{too_much}, std::bad_alloc);
	BOOST_CHECK_THROW(allocate_large(too_much), std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
