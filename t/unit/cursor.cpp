// Untrusted bytes are read field by field, and never beyond their end.
#include "libdig/base/cursor.h"

#include <limits>

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(cursor)

BOOST_AUTO_TEST_CASE(it_takes_fields_in_order_and_knows_where_it_is)
{
	const std::uint8_t bytes[] = {1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 'x', 'y'};
	Cursor cursor(bytes, "file", 1000);
	BOOST_TEST(cursor.u8() == 1);
	BOOST_TEST(cursor.u16() == 2);
	BOOST_TEST(cursor.u32() == 3U);
	BOOST_TEST(cursor.u64() == 4U);
	BOOST_TEST(cursor.offset() == 1015U);
	BOOST_TEST(cursor.left() == 2U);
	BOOST_TEST(!cursor.at_end());
	BOOST_TEST(text_of(cursor.take(2)) == "xy");
	BOOST_TEST(cursor.at_end());
	BOOST_CHECK_NO_THROW(cursor.expect_end());
	BOOST_TEST(cursor.take(0).empty());
}

BOOST_AUTO_TEST_CASE(running_off_the_end_names_file_and_byte)
{
	const std::uint8_t bytes[] = {1, 2, 3};
	Cursor cursor(bytes, "some/file", 64);
	cursor.u8();
	try {
		cursor.u32();
		BOOST_TEST(false);
	} catch (const CorruptError &error) {
		BOOST_TEST(std::string(error.what()) == "'some/file' is corrupt at byte 65: it ends too early");
		BOOST_TEST(error.status() == exit_status::corrupt);
	}
	// Nothing was taken.
	BOOST_TEST(cursor.left() == 2U);
	BOOST_CHECK_THROW(cursor.take(std::numeric_limits<std::size_t>::max()), CorruptError);
	BOOST_CHECK_THROW(cursor.digest(), CorruptError);
	BOOST_CHECK_THROW(cursor.expect_end(), CorruptError);
}

BOOST_AUTO_TEST_CASE(a_count_must_fit_into_what_follows)
{
	const Buffer bytes(100);
	Cursor cursor(bytes, "file");
	BOOST_TEST(cursor.count(25, 4) == 25U);
	BOOST_CHECK_THROW(cursor.count(26, 4), CorruptError);
	BOOST_CHECK_THROW(cursor.count(std::uint64_t(1) << 62, 4), CorruptError);
	BOOST_CHECK_THROW(cursor.count(~std::uint64_t(0), 100), CorruptError);
}

BOOST_AUTO_TEST_CASE(sums_do_not_wrap)
{
	BOOST_TEST(checked_add(1, 2, "file") == 3U);
	BOOST_TEST(checked_add(~std::uint64_t(0), 0, "file") == ~std::uint64_t(0));
	BOOST_CHECK_THROW(checked_add(~std::uint64_t(0), 1, "file"), CorruptError);
}

BOOST_AUTO_TEST_SUITE_END()
