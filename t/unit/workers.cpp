#include "libdig/os/workers.h"

#include <algorithm>
#include <condition_variable>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

// Where workers wait for what never comes, until they are stopped.
struct Room {
	std::mutex mutex;
	std::condition_variable changed;
	int inside = 0, stops = 0;
	Workers workers{[this] {
		{
			std::lock_guard guard(mutex);
			stops++;
		}
		changed.notify_all();
	}};

	void wait_for_stop()
	{
		std::unique_lock lock(mutex);
		inside++;
		changed.notify_all();
		changed.wait(lock, [&] { return workers.is_stopped(); });
	}
	void await(int count)
	{
		std::unique_lock lock(mutex);
		changed.wait(lock, [&] { return inside >= count; });
	}
};

std::string failure_of(Workers &workers)
{
	try {
		workers.join();
	} catch (const std::runtime_error &error) {
		return error.what();
	}
	return "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(all_do_their_part_and_more_can_be_started_after_a_join)
{
	std::atomic<int> done{0};
	Workers workers;
	BOOST_TEST(workers.start(3, [&] { done++; }) == 3u);
	workers.run([&] { done++; });
	workers.join();
	BOOST_TEST(done == 4);
	BOOST_TEST(workers.size() == 0u);
	BOOST_TEST(!workers.is_stopped());
	BOOST_TEST(workers.start([&] { done++; }));
	workers.join();
	BOOST_TEST(done == 5);
}

BOOST_AUTO_TEST_CASE(a_failure_stops_those_that_wait_and_is_thrown_by_join)
{
	Room room;
	room.workers.start(3, [&] { room.wait_for_stop(); });
	room.await(3);
	room.workers.start([] { throw std::runtime_error("broken"); });
	BOOST_TEST(failure_of(room.workers) == "broken");
	BOOST_TEST(room.workers.is_stopped());
	BOOST_TEST(room.stops == 1);
	BOOST_TEST(!room.workers.start([] {}));
}

BOOST_AUTO_TEST_CASE(of_two_failures_at_once_the_first_one_is_kept)
{
	for (int i = 0; i < 50; i++) {
		Room room;
		std::atomic<int> ready{0};
		room.workers.start(2, [&] {
			ready++;
			while (ready < 2)
				std::this_thread::yield();
			throw std::runtime_error("broken");
		});
		BOOST_TEST(failure_of(room.workers) == "broken");
		BOOST_TEST(room.stops == 1);
	}
}

BOOST_AUTO_TEST_CASE(what_is_thrown_after_a_stop_is_no_failure)
{
	Room room;
	room.workers.start(2, [&] {
		room.wait_for_stop();
		throw std::runtime_error("stopped");
	});
	room.await(2);
	room.workers.fail(std::make_exception_ptr(std::runtime_error("first")));
	BOOST_TEST(failure_of(room.workers) == "first");

	Room quiet;
	quiet.workers.start([&] {
		quiet.wait_for_stop();
		throw std::runtime_error("stopped");
	});
	quiet.workers.stop();
	quiet.workers.join();
}

BOOST_AUTO_TEST_CASE(the_caller_that_works_along_fails_as_a_thread_does)
{
	Room room;
	room.workers.start(2, [&] { room.wait_for_stop(); });
	room.workers.run([] { throw std::runtime_error("in the caller"); });
	BOOST_TEST(failure_of(room.workers) == "in the caller");
}

BOOST_AUTO_TEST_CASE(an_end_without_a_join_stops_the_threads)
{
	Room room;
	BOOST_TEST(room.workers.start(2, [&] { room.wait_for_stop(); }) == 2u);
}

BOOST_AUTO_TEST_CASE(in_parts_all_is_done_once_or_the_first_failure_is_thrown)
{
	for (const std::size_t count : {0, 1, 7, 8, 9, 1000})
		for (const std::size_t threads : {1, 3}) {
			std::vector<std::atomic<int>> done(count);
			in_parts(threads, count, 8, [&](std::size_t first, std::size_t end) {
				if (first >= end || end > count || end - first > 8)
					throw std::logic_error("no part");
				for (; first < end; first++)
					done[first]++;
			});
			BOOST_TEST(std::all_of(done.begin(), done.end(), [](const auto &times) { return times == 1; }));
			if (count == 0)
				continue;
			BOOST_CHECK_THROW(in_parts(threads, count, 8, [&](std::size_t, std::size_t end) {
				if (end == count)
					throw std::runtime_error("the last");
			}), std::runtime_error);
		}
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The limit of processes does not hold for root; that of memory does for all.
BOOST_AUTO_TEST_CASE(where_the_system_has_no_thread_to_give_fewer_work)
{
	rlimit before{};
	BOOST_REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
	const rlimit none{1, before.rlim_max};
	std::atomic<int> done{0};
	Workers workers;
	BOOST_REQUIRE(::setrlimit(RLIMIT_AS, &none) == 0);
	const std::size_t started = workers.start(64, [&] { done++; });
	::setrlimit(RLIMIT_AS, &before);
	workers.run([&] { done++; });
	workers.join();
	// The C library keeps the stacks of some threads that have ended.
	BOOST_TEST(started < 64u);
	BOOST_TEST(done == static_cast<int>(started) + 1);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
