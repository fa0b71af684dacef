#include "libdig/ingest/ingest_ring.h"

#include <cstring>
#include <deque>
#include <random>

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(ingest_ring)

BOOST_AUTO_TEST_CASE(rooms_follow_each_other_until_a_lap_ends)
{
	IngestRing ring(5000, 10000);
	const auto first = ring.reserve(4000, 10000), second = ring.reserve(4000, 10000);
	BOOST_REQUIRE(first && second);
	BOOST_TEST(first->starts_lap);
	BOOST_TEST(!second->starts_lap);
	BOOST_TEST((second->data == first->data + 4000));
	BOOST_TEST(second->begin == first->end);
	// The rest of the lap is too small, and its start is in use.
	BOOST_TEST(!ring.reserve(4000, 10000));
	ring.free_to(first->end);
	const auto third = ring.reserve(4000, 10000);
	BOOST_REQUIRE(third);
	BOOST_TEST(third->starts_lap);
	BOOST_TEST((third->data == first->data));
	BOOST_TEST(!ring.reserve(1, 10000));
	ring.free_to(second->end);
	BOOST_TEST(!!ring.reserve(6000, 10000));
	// The headroom can be written.
	std::memset(third->data - 5000, 1, 5000);
}

BOOST_AUTO_TEST_CASE(an_address_has_its_phase)
{
	IngestRing ring(0, 1_MiB);
	for (std::size_t phase : {0, 1, 4095, 8192, 12000}) {
		const auto room = ring.reserve(100, 1_MiB, phase);
		BOOST_REQUIRE(room);
		BOOST_TEST(reinterpret_cast<std::uintptr_t>(room->data) % IngestRing::unit == phase % IngestRing::unit);
	}
}

BOOST_AUTO_TEST_CASE(the_newest_room_can_be_made_smaller)
{
	IngestRing ring(0, 10000);
	const auto first = ring.reserve(9000, 10000);
	ring.shrink(first->begin + 10);
	const auto second = ring.reserve(9000, 10000);
	BOOST_REQUIRE(second);
	BOOST_TEST((second->data == first->data + 10));
}

BOOST_AUTO_TEST_CASE(a_limit_keeps_rooms_in_a_part_of_the_buffer)
{
	IngestRing ring(0, 100000);
	const auto first = ring.reserve(3000, 10000);
	for (int i = 0; i < 100; i++) {
		const auto room = ring.reserve(3000, 10000);
		BOOST_REQUIRE(room);
		BOOST_TEST((room->data + 3000 <= first->data + 10000));
		ring.free_to(room->end);
	}
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_in_use_can_be_given_back)
{
	IngestRing ring(0, 16_MiB);
	const auto first = ring.reserve(7_MiB, 16_MiB), second = ring.reserve(7_MiB, 16_MiB);
	std::memset(second->data, 1, 7_MiB);
	ring.free_to(first->end);
	// The second room is in use and lies behind the limit.
	ring.give_back(4_MiB);
	BOOST_TEST(second->data[7_MiB - 1] == 1);
	const auto third = ring.reserve(3_MiB, 4_MiB);
	BOOST_REQUIRE(third);
	ring.give_back(4_MiB);
	BOOST_TEST(second->data[7_MiB - 1] == 1);
	ring.free_to(second->end);
	std::memset(third->data, 2, 3_MiB);
	ring.give_back(4_MiB);
	BOOST_TEST(second->data[7_MiB - 1] == 0);
	BOOST_TEST(third->data[3_MiB - 1] == 2);
}

BOOST_AUTO_TEST_CASE(no_two_rooms_in_use_overlap)
{
	constexpr std::size_t size = 100000;
	IngestRing ring(1000, size);
	std::mt19937 random(1);
	struct Used {
		IngestRing::Room room;
		std::uint8_t mark;
	};
	std::deque<Used> used;
	std::uint64_t made = 0, refused = 0;
	for (int i = 0; i < 20000; i++) {
		const std::size_t wanted = random() % 9 ? random() % 5000 + 1 : random() % 40000 + 1;
		const auto phase = random() % 2 ? std::optional<std::size_t>(random() % 4096) : std::nullopt;
		const auto room = ring.reserve(wanted, random() % 3 ? size : size / 2, phase);
		if (room) {
			made++;
			BOOST_REQUIRE(room->end - room->begin == wanted);
			const auto mark = static_cast<std::uint8_t>(i);
			std::memset(room->data, mark, wanted);
			used.push_back({*room, mark});
		}
		refused += !room;
		if (!used.empty() && (!room || random() % 3 == 0)) {
			const Used &oldest = used.front();
			for (std::uint64_t at = 0; at < oldest.room.end - oldest.room.begin; at++)
				BOOST_REQUIRE(oldest.room.data[at] == oldest.mark);
			ring.free_to(oldest.room.end);
			used.pop_front();
		}
	}
	BOOST_TEST(made > 5000U);
	BOOST_TEST(refused > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
