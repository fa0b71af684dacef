// The file of a tag, and which names tags may have.
#include "libdig/store/tags.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

namespace {

Tag some_tag(bool has_lock = false, std::optional<std::int64_t> until = {})
{
	return {7, digest_of(bytes_of("a root")), has_lock, until};
}

} // namespace

BOOST_AUTO_TEST_SUITE(tags)

BOOST_AUTO_TEST_CASE(what_is_written_is_read)
{
	for (const Tag &tag : {some_tag(), some_tag(true), some_tag(true, 0), some_tag(true, -1),
		some_tag(true, INT64_MAX)})
		BOOST_TEST((Tag::decode(tag.encoded(), "tag") == tag));
}

// Preamble, generation, root, CRC: as dig-store-layout(5) has it since the first version.
BOOST_AUTO_TEST_CASE(a_tag_without_a_lock_has_the_bytes_of_version_1)
{
	const Buffer file = some_tag().encoded();
	BOOST_TEST(file.size() == 24U + 8 + 32 + 4);
	BOOST_TEST(text_of(Bytes(file).first(8)) == "DIGTAG01");
	BOOST_TEST(load<std::uint16_t>(file.data() + 8) == 1);
	BOOST_TEST(load<std::uint64_t>(file.data() + 24) == 7U);
	BOOST_TEST(load<std::uint32_t>(file.data() + 64) == crc32_of(Bytes(file).first(64)));
	BOOST_TEST(load<std::uint16_t>(some_tag(true).encoded().data() + 8) == 2);
}

BOOST_AUTO_TEST_CASE(damage_anywhere_is_told)
{
	for (const Tag &tag : {some_tag(), some_tag(true, 1800000000)}) {
		const Buffer file = tag.encoded();
		for (std::size_t i = 0; i < file.size(); i++) {
			Buffer damaged = file;
			damaged[i] ^= 1;
			BOOST_CHECK_THROW(Tag::decode(damaged, "tag"), Error);
			BOOST_CHECK_THROW(Tag::decode(Bytes(file).first(i), "tag"), Error);
		}
	}
}

BOOST_AUTO_TEST_CASE(a_lock_ends_with_its_last_second)
{
	BOOST_TEST(!some_tag().is_locked(0));
	BOOST_TEST(some_tag(true).is_locked(INT64_MAX));
	BOOST_TEST(some_tag(true, 100).is_locked(100));
	BOOST_TEST(!some_tag(true, 100).is_locked(101));
}

BOOST_AUTO_TEST_CASE(a_name_is_that_of_a_reference_and_of_nothing_else)
{
	for (const char *name : {"v1", "v1.0", "release-2026-11", "ähnlich", "abc", "0123456789abcdefg", "a@b",
		"HEADER", "2026-11-01", "x+y,z"})
		BOOST_TEST(tag_name_problem(name) == "", name);
	for (const char *name : {"", "-d", ".hidden", "end.", "a..b", "..", ".", "a/b", "/", "a b", "a\tb", "a\nb",
		"a\x7f", "a:b", "a~1", "a^", "a?", "a*", "a[b", "a]", "a{b", "a}", "a\\b", "a\"b", "a'b", "@", "@5",
		"@{now}", "a@{b", "HEAD", "head", "Head", "abcd", "DEADBEEF", "0000", "x.lock",
		"x.tmp-12", "x.dig", "x.merged"})
		BOOST_TEST(tag_name_problem(name) != "", name);
	BOOST_TEST(tag_name_problem(std::string(64, 'f')) != "");
	BOOST_TEST(tag_name_problem(std::string(65, 'f')) == "");
	BOOST_TEST(tag_name_problem(std::string(200, 'x')) == "");
	BOOST_TEST(tag_name_problem(std::string(201, 'x')) != "");
}

BOOST_AUTO_TEST_SUITE_END()
