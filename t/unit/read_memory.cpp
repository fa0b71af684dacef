#include "libdig/os/read_memory.h"

#include <future>
#include <new>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

using Lease = ReadMemory::Lease;

bool is_ready(std::future<Lease> &lease, int milliseconds)
{
	return lease.wait_for(std::chrono::milliseconds(milliseconds)) == std::future_status::ready;
}

std::future<Lease> take_apart(ReadMemory &memory, std::size_t size)
{
	return std::async(std::launch::async, [&memory, size] { return memory.take(size); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(read_memory)

BOOST_AUTO_TEST_CASE(pieces_do_not_overlap_and_begin_on_cache_lines)
{
	ReadMemory memory(1_MiB);
	const Lease a = memory.take(100), b = memory.take(0), c = memory.take(1);
	BOOST_TEST((b.bytes().data() >= a.bytes().data() + 100));
	BOOST_TEST((c.bytes().data() > b.bytes().data()));
	BOOST_TEST((b.bytes().data() - a.bytes().data()) % 64 == 0);
}

BOOST_AUTO_TEST_CASE(room_that_was_given_back_in_order_is_taken_again)
{
	ReadMemory memory(1_MiB);
	for (int i = 0; i < 10; i++) {
		Lease a = memory.take(512_KiB), b = memory.take(384_KiB);
		a.give_back();
		// Around the end.
		const Lease c = memory.take(448_KiB);
		BOOST_TEST((c.bytes().data() + 448_KiB <= b.bytes().data()));
	}
}

BOOST_AUTO_TEST_CASE(a_taker_waits_until_the_oldest_piece_is_free)
{
	ReadMemory memory(1_MiB);
	Lease a = memory.take(512_KiB), b = memory.take(512_KiB);
	std::future<Lease> waiting = take_apart(memory, 256_KiB);
	b.give_back();
	// It lies behind the oldest one, which is still in use.
	BOOST_TEST(!is_ready(waiting, 20));
	a.give_back();
	BOOST_TEST(is_ready(waiting, 60000));
}

BOOST_AUTO_TEST_CASE(a_piece_beyond_the_limit_is_alone)
{
	ReadMemory memory(1_MiB);
	Lease a = memory.take(64);
	std::future<Lease> waiting = take_apart(memory, 2_MiB);
	BOOST_TEST(!is_ready(waiting, 20));
	a.give_back();
	BOOST_TEST(is_ready(waiting, 60000));
	BOOST_CHECK_THROW(memory.take(ReadMemory::largest_piece + 1), std::bad_alloc);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_those_that_wait)
{
	ReadMemory memory(1_MiB);
	const Lease a = memory.take(1_MiB);
	std::future<Lease> waiting = take_apart(memory, 64);
	memory.stop();
	BOOST_CHECK_THROW(waiting.get(), ReadMemory::Stopped);
	BOOST_CHECK_THROW(memory.take(64), ReadMemory::Stopped);
}

BOOST_AUTO_TEST_CASE(a_lease_that_was_moved_gives_back_once)
{
	ReadMemory memory(64_KiB);
	Lease a = memory.take(64_KiB);
	{
		const Lease b = std::move(a);
		a.give_back();
		std::future<Lease> waiting = take_apart(memory, 64);
		BOOST_TEST(!is_ready(waiting, 20));
		memory.stop();
		BOOST_CHECK_THROW(waiting.get(), ReadMemory::Stopped);
	}
}

BOOST_AUTO_TEST_SUITE_END()
