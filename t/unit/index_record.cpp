// When stat proves that a file is what its record says.
#include "libdig/staging/index_record.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

constexpr std::int64_t second = 1'000'000'000, millisecond = 1'000'000;
constexpr std::int64_t odd_nanoseconds = 123'456'789;

// What compare_stat says of a file with these times whose reading began so much later.
StatAnswer answer(std::int64_t mtime, std::int64_t ctime, std::int64_t later,
	std::int64_t margin = fine_clock_margin_ns)
{
	FileStat stat;
	stat.type = FileType::regular;
	stat.size = 5;
	stat.inode = 7;
	stat.mtime_ns = mtime;
	stat.ctime_ns = ctime;
	IndexRecord record;
	record.set_stat(stat, ctime + later);
	return compare_stat(record, stat, margin);
}

} // namespace

BOOST_AUTO_TEST_SUITE(index_record)

BOOST_AUTO_TEST_CASE(fine_times_prove_after_some_ticks)
{
	for (const std::int64_t seconds : {std::int64_t(0), 1'700'000'000 * second, -5 * second}) {
		const std::int64_t time = seconds + odd_nanoseconds;
		BOOST_CHECK(answer(time, time, 20 * millisecond) == StatAnswer::same);
		BOOST_CHECK(answer(time, time, 20 * millisecond - 1) == StatAnswer::unknown);
		BOOST_CHECK(answer(time, time, -second) == StatAnswer::unknown);
	}
}

BOOST_AUTO_TEST_CASE(times_of_whole_seconds_prove_after_two)
{
	for (const std::int64_t time : {std::int64_t(0), 1'700'000'000 * second, 1'700'000'001 * second, -5 * second}) {
		BOOST_CHECK(answer(time, time, 2020 * millisecond) == StatAnswer::same);
		BOOST_CHECK(answer(time, time, 2020 * millisecond - 1) == StatAnswer::unknown);
	}
}

BOOST_AUTO_TEST_CASE(times_of_a_coarse_unit_prove_after_that_unit)
{
	const std::int64_t base = 1'700'000'000 * second;
	BOOST_CHECK(answer(base + 130 * millisecond, base + 130 * millisecond, 30 * millisecond) == StatAnswer::same);
	BOOST_CHECK(answer(base + 130 * millisecond, base + 130 * millisecond, 30 * millisecond - 1) ==
		StatAnswer::unknown);
	BOOST_CHECK(answer(base + 300 * millisecond, base + 300 * millisecond, 120 * millisecond) == StatAnswer::same);
	BOOST_CHECK(answer(base + 300 * millisecond, base + 300 * millisecond, 120 * millisecond - 1) ==
		StatAnswer::unknown);
}

BOOST_AUTO_TEST_CASE(each_time_has_its_own_unit)
{
	const std::int64_t base = 1'700'000'000 * second;
	// A program set an old time of whole seconds; the change time is fine.
	BOOST_CHECK(answer(base - 100 * second, base + odd_nanoseconds, 20 * millisecond) == StatAnswer::same);
	BOOST_CHECK(answer(base, base + odd_nanoseconds, 20 * millisecond) == StatAnswer::unknown);
	BOOST_CHECK(answer(base - 100 * second + odd_nanoseconds, base, second) == StatAnswer::unknown);
}

BOOST_AUTO_TEST_CASE(the_file_system_may_be_coarser_than_its_times_show)
{
	const std::int64_t time = 1'700'000'000 * second + odd_nanoseconds;
	BOOST_CHECK(answer(time, time, 2020 * millisecond - 1, coarse_clock_margin_ns) == StatAnswer::unknown);
	BOOST_CHECK(answer(time, time, 2020 * millisecond, coarse_clock_margin_ns) == StatAnswer::same);
}

BOOST_AUTO_TEST_CASE(any_difference_is_no_proof)
{
	FileStat stat;
	stat.size = 5;
	stat.mtime_ns = stat.ctime_ns = odd_nanoseconds;
	IndexRecord record;
	record.set_stat(stat, second);
	BOOST_CHECK(is_untouched(record, stat, fine_clock_margin_ns));
	for (std::uint64_t FileStat::*field : {&FileStat::size, &FileStat::inode}) {
		FileStat other = stat;
		other.*field += 1;
		BOOST_CHECK(!is_untouched(record, other, fine_clock_margin_ns));
	}
	for (std::int64_t FileStat::*field : {&FileStat::mtime_ns, &FileStat::ctime_ns}) {
		FileStat other = stat;
		other.*field -= 1;
		BOOST_CHECK(!is_untouched(record, other, fine_clock_margin_ns));
	}
	BOOST_CHECK(!is_untouched(IndexRecord(), stat, fine_clock_margin_ns));
}

BOOST_AUTO_TEST_SUITE_END()
