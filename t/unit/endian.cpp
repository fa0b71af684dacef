// Integers as they lie in a file.
#include "libdig/base/endian.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

BOOST_AUTO_TEST_SUITE(endian)

BOOST_AUTO_TEST_CASE(integers_lie_with_their_low_byte_first)
{
	Buffer out;
	put_u8(out, 0x01);
	put_u16(out, 0x0302);
	put_u32(out, 0x07060504);
	put_u64(out, 0x0f0e0d0c0b0a0908);
	put(out, std::int64_t(-2));
	BOOST_TEST(to_hex(Bytes(out)) == "0102030405060708090a0b0c0d0e0ffeffffffffffffff");
}

BOOST_AUTO_TEST_CASE(fields_need_no_alignment)
{
	struct Odd {
		std::uint8_t first;
		le64 number;
		le16 last;
	};
	static_assert(sizeof(Odd) == 11);
	const Odd odd{1, 0x1122334455667788, 0x99aa};
	BOOST_TEST(to_hex(raw_bytes(odd)) == "018877665544332211aa99");
	BOOST_TEST(std::uint64_t(odd.number) == 0x1122334455667788U);
	BOOST_TEST(load<std::uint16_t>(raw_bytes(odd).data() + 9) == 0x99aa);
}

BOOST_AUTO_TEST_SUITE_END()
