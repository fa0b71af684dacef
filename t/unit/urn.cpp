// What URNs and byte ranges look like, and what is none.
#include "libdig/format/urn.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

namespace {

const std::string store_id(64, 'a');
const std::string root = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string prefix = "urn:dig:chia:" + store_id;

// The reason for which text is no URN.
std::string complaint(const std::string &text)
{
	try {
		parse_urn(text);
	} catch (const Error &error) {
		BOOST_TEST(error.status() == exit_status::failed);
		const std::string message = error.what();
		BOOST_TEST(message.find(quote(text) + " is no URN of dig: ") == 0U);
		return message.substr(message.find(": ", quote(text).size()) + 2);
	}
	return "none";
}

std::string normal(const std::string &text) { return to_text(parse_urn(text)); }

ByteRange::Extent resolved(std::string_view range, std::uint64_t size)
{
	return parse_byte_range(range).value().resolve(size);
}

} // namespace

BOOST_AUTO_TEST_SUITE(byte_range)

BOOST_AUTO_TEST_CASE(both_ends_are_included)
{
	BOOST_TEST((resolved("0-0", 10) == ByteRange::Extent{0, 1}));
	BOOST_TEST((resolved("2-5", 10) == ByteRange::Extent{2, 4}));
	BOOST_TEST((resolved("0-9", 10) == ByteRange::Extent{0, 10}));
}

BOOST_AUTO_TEST_CASE(an_open_range_runs_to_the_end)
{
	BOOST_TEST((resolved("3-", 10) == ByteRange::Extent{3, 7}));
	BOOST_TEST((resolved("-3", 10) == ByteRange::Extent{7, 3}));
}

BOOST_AUTO_TEST_CASE(a_range_is_cut_at_the_end)
{
	BOOST_TEST((resolved("8-100", 10) == ByteRange::Extent{8, 2}));
	BOOST_TEST((resolved("-100", 10) == ByteRange::Extent{0, 10}));
	BOOST_TEST((resolved("-1", 0) == ByteRange::Extent{0, 0}));
	BOOST_TEST((resolved("0-18446744073709551615", 10) == ByteRange::Extent{0, 10}));
	BOOST_TEST((resolved("0-18446744073709551615", UINT64_MAX) == ByteRange::Extent{0, UINT64_MAX}));
}

BOOST_AUTO_TEST_CASE(a_range_that_covers_nothing_is_an_error)
{
	BOOST_CHECK_THROW(resolved("10-", 10), Error);
	BOOST_CHECK_THROW(resolved("10-11", 10), Error);
	BOOST_CHECK_THROW(resolved("0-", 0), Error);
	BOOST_CHECK_THROW(resolved("-0", 10), Error);
}

BOOST_AUTO_TEST_CASE(other_texts_are_no_ranges)
{
	for (const char *text : {"", "-", "5", "5-2", "a-b", "1-2-3", "--3", "1--2", " 1-2", "1-2 ", "+1-2",
			 "1-+2", "0x1-2", "1,2", "18446744073709551616-", "0-18446744073709551616"})
		BOOST_TEST(!parse_byte_range(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_range_is_printed_as_it_is_read)
{
	for (const char *text : {"0-0", "1-18446744073709551615", "7-", "-7"})
		BOOST_TEST(to_text(parse_byte_range(text).value()) == text);
	BOOST_TEST(to_text(parse_byte_range("007-08").value()) == "7-8");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(urn)

BOOST_AUTO_TEST_CASE(all_parts_but_the_store_may_be_missing)
{
	const Urn store = parse_urn(prefix);
	BOOST_TEST(store.has_store);
	BOOST_TEST(to_hex(store.store_id) == store_id);
	BOOST_TEST(!store.root.has_value());
	BOOST_TEST(store.path == "");
	const Urn all = parse_urn(prefix + ":" + root + "/a/b%20c#bytes=1-2");
	BOOST_TEST(to_hex(all.root.value()) == root);
	BOOST_TEST(all.path == "a/b c");
	BOOST_TEST(to_text(all.range.value()) == "1-2");
	BOOST_TEST(parse_urn(prefix + "/a").path == "a");
	BOOST_TEST(to_text(parse_urn(prefix + "#bytes=-5").range.value()) == "-5");
}

BOOST_AUTO_TEST_CASE(a_urn_is_printed_in_one_spelling)
{
	BOOST_TEST(normal(prefix + ":" + root + "/a/b#bytes=1-") ==
		prefix + ":" + root + "/a/b#bytes=1-");
	BOOST_TEST(normal("URN:Dig:CHIA:" + std::string(64, 'A') + "/A") == prefix + "/A");
	BOOST_TEST(normal(prefix + "/") == prefix);
	BOOST_TEST(normal(prefix + "/%41%2f%c3%a9?\"") == prefix + "/A/%C3%A9%3F%22");
	BOOST_TEST(normal(prefix + "/a%23b%25c") == prefix + "/a%23b%25c");
}

BOOST_AUTO_TEST_CASE(percent_encoding_is_undone_once)
{
	BOOST_TEST(parse_urn(prefix + "/a%2525").path == "a%25");
	BOOST_TEST(parse_urn(prefix + "/a+b").path == "a+b");
	BOOST_TEST(parse_urn(prefix + "/%ff").path == "\xff");
	const std::string reason = "'%' is not followed by two hexadecimal digits";
	for (const char *path : {"/%", "/%4", "/a%zz", "/%%41"})
		BOOST_TEST(complaint(prefix + path) == reason, path);
}

BOOST_AUTO_TEST_CASE(a_path_that_cannot_be_stored_is_refused)
{
	for (const char *path : {"/../a", "/a/..", "//a", "/a/", "/a%2f..%2fb", "/%2e%2e/a", "/a%00b",
			 "/.dig/config.toml", "/%2eDIG", "/a//b", "/."})
		BOOST_TEST(complaint(prefix + path).find("its path cannot be stored: ") == 0U, path);
}

BOOST_AUTO_TEST_CASE(the_short_form_has_only_path_and_range)
{
	const Urn urn = parse_urn("/a/b#bytes=0-9");
	BOOST_TEST(!urn.has_store);
	BOOST_TEST(urn.path == "a/b");
	BOOST_TEST(to_text(urn) == "/a/b#bytes=0-9");
	BOOST_TEST(complaint("a/b") == "it begins neither with 'urn:dig:chia:' nor with '/'");
	BOOST_TEST(complaint("") == "it begins neither with 'urn:dig:chia:' nor with '/'");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named)
{
	BOOST_TEST(complaint("urn:dig:eth:" + store_id) ==
		"after 'urn:dig:' only the method 'chia:' is known");
	BOOST_TEST(complaint("urn:dig:chia:abc") == "its store id is not 64 hexadecimal digits");
	BOOST_TEST(complaint(prefix + ":" + root.substr(1)) == "its root is not 64 hexadecimal digits");
	BOOST_TEST(complaint(prefix + ":/a") == "its root is not 64 hexadecimal digits");
	const std::string digest_is_long =
		"a digest has 64 hexadecimal digits, and ':', '/' or '#' may follow it";
	BOOST_TEST(complaint(prefix + "a") == digest_is_long);
	BOOST_TEST(complaint(prefix + ":" + root + ":" + root) == digest_is_long);
	BOOST_TEST(complaint(prefix + "/a#b") == "after '#' only 'bytes=' and a range may stand");
	BOOST_TEST(complaint(prefix + "/a#bytes=2-1") == "its range is none of a-b, a- and -n");
	BOOST_TEST(complaint(prefix + "/a#bytes=1-2#") == "its range is none of a-b, a- and -n");
	BOOST_TEST(complaint(prefix + "#bytes=0-99999999999999999999") ==
		"its range is none of a-b, a- and -n");
}

BOOST_AUTO_TEST_CASE(what_looks_like_a_urn_need_not_be_one)
{
	BOOST_TEST(looks_like_urn("urn:dig:"));
	BOOST_TEST(looks_like_urn("URN:DIG:x"));
	BOOST_TEST(!looks_like_urn("urn:di"));
	BOOST_TEST(!looks_like_urn("/a"));
}

BOOST_AUTO_TEST_SUITE_END()
