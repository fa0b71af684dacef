#include "libdig/ingest/ingest_plan.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

IngestPlan plan_for(std::uint64_t workers, std::uint64_t memory, std::uint64_t level = 0)
{
	Settings settings;
	settings.performance.max_worker_threads = workers;
	settings.performance.max_memory_usage = memory;
	settings.core.compression_level = level;
	return plan_ingest(settings, {}, true);
}

} // namespace

BOOST_AUTO_TEST_SUITE(ingest_plan)

BOOST_AUTO_TEST_CASE(as_many_workers_as_are_asked_for)
{
	for (const std::uint64_t workers : {1, 2, 16, 64})
		for (const std::uint64_t memory : {16_MiB, 80_MiB, 2048_MiB})
			BOOST_TEST(plan_for(workers, memory).workers == workers);
}

BOOST_AUTO_TEST_CASE(compressors_take_a_part_of_the_memory_at_any_level)
{
	BOOST_TEST(plan_for(64, 80_MiB).compressors > 8U);
	BOOST_TEST(plan_for(64, 80_MiB).compressors <= 16U);
	// Each of them has some 80 MiB.
	BOOST_TEST(plan_for(64, 80_MiB, 19).compressors == 2U);
	BOOST_TEST(plan_for(1, 80_MiB, 19).compressors == 1U);
	BOOST_TEST(plan_for(64, 4096_MiB, 9).compressors > 8U);
}

BOOST_AUTO_TEST_CASE(a_batch_fits_into_its_part_of_the_ring)
{
	for (const std::uint64_t workers : {1, 2, 16, 64, 1024})
		for (const std::uint64_t memory : {16_MiB, 80_MiB, 160_MiB, 400_MiB, 4096_MiB}) {
			const IngestPlan plan = plan_for(workers, memory);
			for (const IngestPlan::Batch &batch : {plan.batch, plan.batch_in_turns}) {
				BOOST_TEST(batch.bytes + plan.small_limit <= plan.batch_ring);
				BOOST_TEST(batch.files >= 1U);
				BOOST_TEST(batch.files <= plan.most_batch_files);
			}
			BOOST_TEST(plan.least_ring_size <= plan.ring);
			BOOST_TEST(plan.unit <= plan.segment);
		}
}

BOOST_AUTO_TEST_CASE(the_memory_carries_more_workers_the_more_there_is)
{
	for (const std::uint64_t workers : {1, 2, 4}) {
		BOOST_TEST(plan_for(workers, 80_MiB).carried(512_KiB) == workers);
		BOOST_TEST(plan_for(workers, 80_MiB).carried(2_MiB) == workers);
		BOOST_TEST(plan_for(workers, 80_MiB).carried(0) == workers);
	}
	for (const std::uint64_t target : {512_KiB, 2_MiB}) {
		std::size_t before = 1;
		for (const std::uint64_t memory : {16_MiB, 32_MiB, 80_MiB, 160_MiB, 1024_MiB}) {
			const std::size_t carried = plan_for(64, memory).carried(target);
			BOOST_TEST(carried >= before);
			before = carried;
		}
		BOOST_TEST(before == 64U);
	}
	BOOST_TEST(plan_for(64, 80_MiB).carried(2_MiB) < plan_for(64, 80_MiB).carried(512_KiB));
	BOOST_TEST(plan_for(64, 16_MiB).carried(0) < 8U);
	// All compress at the same time, and there are two compressors.
	BOOST_TEST(plan_for(64, 80_MiB, 19).carried(512_KiB) == 2U);
}

BOOST_AUTO_TEST_CASE(the_least_memory_that_carries_all_workers_is_found)
{
	Settings settings;
	settings.performance.max_worker_threads = 64;
	const auto carries = [](const Settings &with) {
		return plan_ingest(with, {}, true).carried(512_KiB) == 64;
	};
	const std::uint64_t enough = memory_that_carries(settings, carries);
	BOOST_TEST(enough > 100_MiB);
	BOOST_TEST(enough % 1_MiB == 0U);
	BOOST_TEST(plan_for(64, enough).carried(512_KiB) == 64U);
	BOOST_TEST(plan_for(64, enough - 1_MiB).carried(512_KiB) < 64U);
	BOOST_TEST(memory_that_carries(settings, [](const Settings &) { return true; }) == 16_MiB);
	BOOST_TEST(memory_that_carries(settings, [](const Settings &) { return false; }) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
