// Which ranges of a file differ, told from the chunk lists of two states.
#include "libdig/format/range_diff.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

#include "t/unit/trees.h"

using namespace dig;

namespace {

// A chunk is a number here; its size depends on the number.
using List = std::vector<std::uint32_t>;

std::uint64_t size_of(std::uint32_t chunk) { return 1000 + chunk % 10; }

List counted_list(std::uint32_t first, std::uint32_t count)
{
	List list(count);
	for (std::uint32_t i = 0; i < count; i++)
		list[i] = first + i;
	return list;
}

std::uint64_t bytes_of_list(const List &list)
{
	std::uint64_t bytes = 0;
	for (const std::uint32_t chunk : list)
		bytes += size_of(chunk);
	return bytes;
}

Digest built(const List &list, Nodes &nodes)
{
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	for (const std::uint32_t chunk : list)
		builder.append_chunk(digest_of(raw_bytes(le32(chunk))), size_of(chunk));
	return builder.finish().id;
}

std::vector<ChangedRange> ranges_between(const List &before, const List &after, Nodes &nodes)
{
	const Digest a = built(before, nodes), b = built(after, nodes);
	nodes.reads = 0;
	std::vector<ChangedRange> ranges;
	diff_chunk_lists(a, b, nodes.source(), [&](const ChangedRange &range) { ranges.push_back(range); });
	return ranges;
}

std::string text_between(const List &before, const List &after)
{
	Nodes nodes;
	std::string text;
	for (const ChangedRange &range : ranges_between(before, after, nodes))
		text += " " + std::to_string(range.offset) + "+" + std::to_string(range.size) + ":" +
			std::to_string(range.new_offset) + "+" + std::to_string(range.new_size);
	return text;
}

// The chunks of a list between two offsets, which must be cuts.
List part_of(const List &list, std::uint64_t from, std::uint64_t to)
{
	List part;
	std::uint64_t at = 0;
	bool has_from = from == 0, has_to = to == 0;
	for (const std::uint32_t chunk : list) {
		if (at >= from && at < to)
			part.push_back(chunk);
		at += size_of(chunk);
		has_from |= at == from;
		has_to |= at == to;
	}
	BOOST_REQUIRE((has_from && has_to));
	return part;
}

// Outside of the ranges both lists have the same chunks, and no range is empty on both sides.
void require_equal_outside(const List &before, const List &after, const std::vector<ChangedRange> &ranges)
{
	std::uint64_t at = 0, new_at = 0;
	const auto require_equal_to = [&](std::uint64_t offset, std::uint64_t new_offset) {
		BOOST_REQUIRE(offset >= at);
		BOOST_REQUIRE((part_of(before, at, offset) == part_of(after, new_at, new_offset)));
	};
	for (const ChangedRange &range : ranges) {
		require_equal_to(range.offset, range.new_offset);
		BOOST_REQUIRE(range.size + range.new_size > 0U);
		at = range.offset + range.size;
		new_at = range.new_offset + range.new_size;
	}
	require_equal_to(bytes_of_list(before), bytes_of_list(after));
}

} // namespace

BOOST_AUTO_TEST_SUITE(range_diff)

// Chunk 0 has 1000 bytes, chunk 1 has 1001, chunk 99 has 1009.
BOOST_AUTO_TEST_CASE(equal_lists_have_no_ranges)
{
	BOOST_TEST(text_between({}, {}) == "");
	BOOST_TEST(text_between({1}, {1}) == "");
	BOOST_TEST(text_between(counted_list(0, 3000), counted_list(0, 3000)) == "");
}

BOOST_AUTO_TEST_CASE(a_changed_chunk_is_a_range_at_its_cuts)
{
	BOOST_TEST(text_between({0, 1, 2}, {0, 99, 2}) == " 1000+1001:1000+1009");
	BOOST_TEST(text_between({0, 1, 2}, {99, 1, 2}) == " 0+1000:0+1009");
	BOOST_TEST(text_between({0, 1, 2}, {0, 1, 99}) == " 2001+1002:2001+1009");
}

BOOST_AUTO_TEST_CASE(what_is_inserted_or_removed_is_empty_on_the_other_side)
{
	BOOST_TEST(text_between({0, 1}, {0, 99, 1}) == " 1000+0:1000+1009");
	BOOST_TEST(text_between({0, 99, 1}, {0, 1}) == " 1000+1009:1000+0");
	BOOST_TEST(text_between({0}, {0, 1}) == " 1000+0:1000+1001");
	BOOST_TEST(text_between({0, 1}, {0}) == " 1000+1001:1000+0");
	BOOST_TEST(text_between({}, {1}) == " 0+0:0+1001");
	BOOST_TEST(text_between({1}, {}) == " 0+1001:0+0");
}

BOOST_AUTO_TEST_CASE(several_edits_are_several_ranges_in_order)
{
	BOOST_TEST(text_between({0, 1, 2, 3, 4}, {0, 99, 2, 4, 5}) ==
		" 1000+1001:1000+1009 3003+1003:3011+0 5010+0:4015+1005");
}

BOOST_AUTO_TEST_CASE(lists_that_share_nothing_are_one_range)
{
	BOOST_TEST(text_between({0, 1}, {2, 3, 4}) == " 0+2001:0+3009");
}

BOOST_AUTO_TEST_CASE(equal_chunks_that_moved_back_and_forth_end)
{
	BOOST_TEST(text_between({0, 0, 0}, {0, 0, 0, 0}) == " 3000+0:3000+1000");
	BOOST_TEST(text_between({1, 2, 1, 2}, {2, 1, 2, 1}) == " 0+1001:0+0 4006+0:3005+1001");
}

// The search for a common chunk sees 1024 chunks of each side at a time.
BOOST_AUTO_TEST_CASE(edits_longer_than_the_window_are_found)
{
	const List before = counted_list(0, 5000);
	for (const std::uint32_t count : {1023, 1024, 1025, 2500}) {
		List after = before;
		const List other = counted_list(100'000, count);
		std::copy(other.begin(), other.end(), after.begin() + 1000);
		Nodes nodes;
		const std::vector<ChangedRange> ranges = ranges_between(before, after, nodes);
		BOOST_REQUIRE(ranges.size() == 1U);
		BOOST_TEST(ranges[0].offset == bytes_of_list(counted_list(0, 1000)));
		BOOST_TEST(ranges[0].size == bytes_of_list(counted_list(1000, count)));
		BOOST_TEST(ranges[0].new_size == bytes_of_list(other));
	}
}

BOOST_AUTO_TEST_CASE(outside_of_the_ranges_all_is_equal_after_any_edits)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		BOOST_TEST_CONTEXT("seed " << seed) {
			std::mt19937 random(seed);
			const List before = counted_list(0, random() % 3000);
			List after = before;
			for (unsigned edits = random() % 6; edits > 0; edits--) {
				const auto at = after.begin() + static_cast<std::ptrdiff_t>(random() % (after.size() + 1));
				const auto end = at + std::min<std::ptrdiff_t>(after.end() - at, random() % 50);
				const List other = counted_list(random() % 4000, random() % 50);
				after.insert(after.erase(at, end), other.begin(), other.end());
			}
			Nodes nodes;
			require_equal_outside(before, after, ranges_between(before, after, nodes));
		}
	}
}

BOOST_AUTO_TEST_CASE(one_edit_in_a_long_list_reads_few_nodes)
{
	const List before = counted_list(0, 200'000);
	List after = before;
	after[150'000] = 1'000'000;
	after.insert(after.begin() + 50'000, 2'000'000);
	Nodes nodes;
	const std::vector<ChangedRange> ranges = ranges_between(before, after, nodes);
	BOOST_TEST(ranges.size() == 2U);
	require_equal_outside(before, after, ranges);
	// There are some 1,600 nodes in each list, and a window of 1024 chunks has about 10.
	BOOST_TEST(nodes.reads < 120U);
}

BOOST_AUTO_TEST_SUITE_END()
