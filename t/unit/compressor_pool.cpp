#include "libdig/ingest/compressor_pool.h"

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(compressor_pool)

BOOST_AUTO_TEST_CASE(rooms_in_use_do_not_overlap_and_have_their_bound)
{
	CompressorPool pool(Settings(), 3, 1_MiB);
	std::atomic<std::size_t> in_use{0}, most{0};
	std::atomic<bool> is_wrong{false};
	const auto work = [&](unsigned seed) {
		std::mt19937 random(seed);
		for (int i = 0; i < 300; i++) {
			CompressorPool::CompressorLease compressor(pool);
			// Sometimes more than all rooms may have together.
			const std::size_t size = random() % 20 ? random() % 400'000 + 1 : 3'000'000;
			const CompressorPool::RoomLease room(pool, size);
			const std::size_t now = in_use += size;
			most = std::max<std::size_t>(most, now);
			is_wrong = is_wrong || (now > 1_MiB && now != size);
			std::memset(room.bytes().data(), static_cast<int>(seed), size);
			std::this_thread::yield();
			for (std::size_t at = 0; at < size; at += 1000)
				is_wrong = is_wrong || room.bytes()[at] != seed;
			in_use -= size;
		}
	};
	std::vector<std::thread> threads;
	for (unsigned seed = 1; seed <= 6; seed++)
		threads.emplace_back(work, seed);
	for (std::thread &thread : threads)
		thread.join();
	BOOST_TEST(!is_wrong);
	BOOST_TEST(most >= 3'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()
