// For how long the time of a file may not show a change, asked once a device.
#include "libdig/staging/clock_margin.h"

#include <boost/test/unit_test.hpp>

#include "libdig/os/directory.h"
#include "libdig/staging/index_record.h"
#include "t/unit/scratch.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(clock_margin)

BOOST_AUTO_TEST_CASE(a_device_that_cannot_be_asked_has_the_coarse_margin)
{
	Scratch scratch;
	const File root = open_directory(scratch.path);
	ClockMargins margins(root);
	FileStat elsewhere = root.stat();
	elsewhere.device++;
	BOOST_TEST(margins.of("absent", elsewhere) == coarse_clock_margin_ns);
	BOOST_TEST(margins.of("absent/too", elsewhere) == coarse_clock_margin_ns);
}

BOOST_AUTO_TEST_CASE(what_a_device_has_said_holds_for_all_that_lies_on_it)
{
	Scratch scratch;
	const File root = open_directory(scratch.path);
	ClockMargins margins(root);
	FileStat elsewhere = root.stat();
	elsewhere.device++;
	const std::int64_t here = margins.of("a", root.stat());
	BOOST_TEST((here == coarse_clock_margin_ns || here == fine_clock_margin_ns));
	BOOST_TEST(margins.of("absent", elsewhere) == coarse_clock_margin_ns);
	BOOST_TEST(margins.of("absent", root.stat()) == here);
}

BOOST_AUTO_TEST_SUITE_END()
