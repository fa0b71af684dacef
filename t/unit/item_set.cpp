// A set of items that is larger than its memory.
#include "libdig/staging/item_set.h"

#include <filesystem>
#include <random>

#include <boost/test/unit_test.hpp>

#include "t/unit/scratch.h"

using namespace dig;

namespace {

// Numbers that look like digests, without the time that hashing takes.
Digest digest_number(std::uint64_t number)
{
	std::mt19937_64 random(number);
	Digest digest;
	for (std::size_t at = 0; at < sizeof digest.bytes; at += 8) {
		const std::uint64_t word = random();
		std::memcpy(digest.bytes.data() + at, &word, 8);
	}
	return digest;
}

bool is_empty(const std::string &directory)
{
	return std::filesystem::directory_iterator(directory) == std::filesystem::directory_iterator();
}

} // namespace

BOOST_AUTO_TEST_SUITE(item_set)

BOOST_AUTO_TEST_CASE(an_item_is_new_once)
{
	Scratch scratch;
	ItemSet items(scratch.path);
	BOOST_TEST(!items.contains(ItemKind::chunk, digest_number(1)));
	BOOST_TEST(items.insert(ItemKind::chunk, digest_number(1)));
	BOOST_TEST(!items.insert(ItemKind::chunk, digest_number(1)));
	BOOST_TEST(items.contains(ItemKind::chunk, digest_number(1)));
}

BOOST_AUTO_TEST_CASE(a_chunk_and_a_node_of_one_digest_are_two_items)
{
	Scratch scratch;
	ItemSet items(scratch.path);
	BOOST_TEST(items.insert(ItemKind::chunk, digest_number(1)));
	BOOST_TEST(!items.contains(ItemKind::node, digest_number(1)));
	BOOST_TEST(items.insert(ItemKind::node, digest_number(1)));
}

// 8 MiB are 262,144 digests, so that most of these lie on disk at the end.
BOOST_AUTO_TEST_CASE(items_on_disk_are_known_like_those_in_memory)
{
	Scratch scratch;
	constexpr std::uint64_t count = 700'000;
	ItemSet items(scratch.path);
	std::uint64_t wrong = 0;
	for (std::uint64_t i = 0; i < count; i++)
		wrong += !items.insert(i % 5 ? ItemKind::chunk : ItemKind::node, digest_number(i));
	BOOST_TEST(wrong == 0U);
	for (std::uint64_t i = 0; i < count; i += 7) {
		const ItemKind kind = i % 5 ? ItemKind::chunk : ItemKind::node;
		wrong += !items.contains(kind, digest_number(i));
		wrong += items.contains(kind, digest_number(count + i));
		wrong += items.insert(kind, digest_number(i));
	}
	BOOST_TEST(wrong == 0U);
	// Runs have no name that a killed process would leave.
	BOOST_TEST(is_empty(scratch.path));
}

BOOST_AUTO_TEST_SUITE_END()
