// Which ranges of a file differ, told from the chunk lists of two states.
#include "libdig/format/range_diff.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/zeros.h"
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

ContentSource without_content(Nodes &nodes)
{
	return {nodes.source(), [](const Digest &) { return std::nullopt; }};
}

std::vector<ChangedRange> ranges_between(const List &before, const List &after, Nodes &nodes)
{
	const Digest a = built(before, nodes), b = built(after, nodes);
	nodes.reads = 0;
	std::vector<ChangedRange> ranges;
	diff_chunk_lists(a, b, without_content(nodes), {}, [&](const ChangedRange &range) { ranges.push_back(range); });
	return ranges;
}

std::string text_of(const std::vector<ChangedRange> &ranges)
{
	std::string text;
	for (const ChangedRange &range : ranges)
		text += (range.kind == ChangedRange::Kind::moved ? " moved " : " replaced ") + std::to_string(range.offset) +
			"+" + std::to_string(range.size) + ":" + std::to_string(range.new_offset) + "+" +
			std::to_string(range.new_size);
	return text;
}

std::string text_between(const List &before, const List &after)
{
	Nodes nodes;
	return text_of(ranges_between(before, after, nodes));
}

// A chunk, as the bytes that it stands for: chunk and position of each.
using Content = std::vector<std::uint32_t>;

Content content_of(const List &list)
{
	Content content;
	for (const std::uint32_t chunk : list)
		for (std::uint64_t i = 0; i < size_of(chunk); i++)
			content.push_back(chunk * 2048 + static_cast<std::uint32_t>(i));
	return content;
}

// What the header promises, and that the ranges make the new content of the old one.
void require_patch(const List &before, const List &after, const std::vector<ChangedRange> &ranges)
{
	const Content old = content_of(before), wanted = content_of(after);
	Content patched = old;
	std::uint64_t at = 0;
	for (const ChangedRange &range : ranges) {
		const std::uint64_t end = range.new_offset + range.new_size;
		BOOST_REQUIRE(range.new_offset >= at);
		BOOST_REQUIRE(range.size + range.new_size > 0U);
		BOOST_REQUIRE(end <= wanted.size());
		if (patched.size() < end)
			patched.resize(end, ~0U);
		const bool is_moved = range.kind == ChangedRange::Kind::moved;
		const Content &from = is_moved ? old : wanted;
		BOOST_REQUIRE((is_moved ? range.size == range.new_size : range.offset == range.new_offset));
		BOOST_REQUIRE((is_moved || range.size == range.new_size || end == wanted.size() ||
			range.offset + range.size >= old.size()));
		if (is_moved)
			BOOST_REQUIRE((range.offset != range.new_offset && range.offset + range.size <= old.size()));
		std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(range.offset), range.new_size,
			patched.begin() + static_cast<std::ptrdiff_t>(range.new_offset));
		at = end;
		if (&range == &ranges.back() && !is_moved && range.offset + range.size == old.size())
			patched.resize(end);
	}
	BOOST_REQUIRE((patched == wanted));
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

BOOST_AUTO_TEST_CASE(a_changed_chunk_is_replaced_in_place)
{
	BOOST_TEST(text_between({0, 1, 2}, {0, 11, 2}) == " replaced 1000+1001:1000+1001");
	BOOST_TEST(text_between({0, 1, 2}, {10, 1, 2}) == " replaced 0+1000:0+1000");
	BOOST_TEST(text_between({0, 1, 2}, {0, 1, 12}) == " replaced 2001+1002:2001+1002");
}

BOOST_AUTO_TEST_CASE(other_cuts_in_a_replaced_range_move_nothing_behind_it)
{
	// 1001 + 1003 and 1002 + 1002.
	BOOST_TEST(text_between({0, 1, 3, 4}, {0, 12, 2, 4}) == " replaced 1000+2004:1000+2004");
}

BOOST_AUTO_TEST_CASE(what_stands_behind_an_insertion_or_a_removal_has_moved)
{
	BOOST_TEST(text_between({0, 1}, {0, 99, 1}) == " replaced 1000+1001:1000+1009 moved 1000+1001:2009+1001");
	BOOST_TEST(text_between({0, 99, 1}, {0, 1}) == " moved 2009+1001:1000+1001 replaced 2001+1009:2001+0");
	BOOST_TEST(text_between({0}, {0, 1}) == " replaced 1000+0:1000+1001");
	BOOST_TEST(text_between({0, 1}, {0}) == " replaced 1000+1001:1000+0");
	BOOST_TEST(text_between({}, {1}) == " replaced 0+0:0+1001");
	BOOST_TEST(text_between({1}, {}) == " replaced 0+1001:0+0");
}

BOOST_AUTO_TEST_CASE(lists_that_share_nothing_are_one_range)
{
	BOOST_TEST(text_between({0, 1}, {2, 3, 4}) == " replaced 0+2001:0+3009");
	BOOST_TEST(text_between({2, 3, 4}, {0, 1}) == " replaced 0+3009:0+2001");
}

BOOST_AUTO_TEST_CASE(chunks_that_change_places_are_moved_to_either_side)
{
	BOOST_TEST(text_between({0, 1, 11, 2}, {0, 11, 1, 2}) == " moved 2001+1001:1000+1001 moved 1000+1001:2001+1001");
	// The block of two chunks lies behind the place where it is wanted, or before it.
	BOOST_TEST(text_between({0, 1, 2, 3, 4, 5}, {0, 3, 4, 1, 2, 5}) ==
		" moved 3003+2007:1000+2007 moved 1000+2003:3007+2003");
}

BOOST_AUTO_TEST_CASE(equal_chunks_that_moved_back_and_forth_end)
{
	BOOST_TEST(text_between({0, 0, 0}, {0, 0, 0, 0}) == " replaced 3000+0:3000+1000");
	Nodes nodes;
	require_patch({1, 2, 1, 2}, {2, 1, 2, 1}, ranges_between({1, 2, 1, 2}, {2, 1, 2, 1}, nodes));
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
		const std::uint64_t offset = bytes_of_list(counted_list(0, 1000)), size = bytes_of_list(other);
		BOOST_TEST(size == bytes_of_list(counted_list(1000, count)));
		BOOST_TEST((ranges == std::vector<ChangedRange>{{offset, size, offset, size}}));
	}
}

// Chunks of 4000 on the one side and of 1000 on the other drift apart by windows.
BOOST_AUTO_TEST_CASE(what_stands_behind_a_long_gap_is_the_same_in_place)
{
	Nodes nodes;
	const auto build = [&](std::uint32_t count, std::uint64_t size) {
		TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
		for (std::uint32_t i = 0; i < count; i++)
			builder.append_chunk(digest_of(raw_bytes(le32(i + count))), size);
		for (std::uint32_t i = 0; i < 3000; i++)
			builder.append_chunk(digest_of(raw_bytes(le32(1'000'000 + i))), 5000);
		return builder.finish().id;
	};
	const Digest a = build(5000, 4000), b = build(20'000, 1000);
	std::vector<ChangedRange> ranges;
	diff_chunk_lists(a, b, without_content(nodes), {}, [&](const ChangedRange &range) { ranges.push_back(range); });
	BOOST_TEST(text_of(ranges) == " replaced 0+20000000:0+20000000");
}

// Lists of chunks with content.
struct Contents {
	Nodes nodes;
	std::unordered_map<Digest, Buffer, DigestHash> chunks;
	std::uint64_t reads = 0;

	void append(TreeBuilder &builder, std::uint64_t zeros, const std::string &text)
	{
		Buffer content(zeros);
		dig::append(content, bytes_of(text));
		const Digest id = digest_of(content);
		builder.append_chunk(id, content.size());
		chunks[id] = content;
	}
	std::string text_between(const Digest &a, const Digest &b, const ChunkingParameters &parameters)
	{
		const ContentSource source{nodes.source(), [this](const Digest &id) -> std::optional<Buffer> {
			reads++;
			const auto found = chunks.find(id);
			return found == chunks.end() ? std::nullopt : std::optional(found->second);
		}};
		std::vector<ChangedRange> ranges;
		diff_chunk_lists(a, b, source, parameters, [&](const ChangedRange &range) { ranges.push_back(range); });
		return text_of(ranges);
	}
};

// Chunks of zeros begin at other offsets behind bytes that are written into a hole, and the chunk at its
// end begins with more or fewer of them.
BOOST_AUTO_TEST_CASE(bytes_written_into_a_hole_are_one_range)
{
	const ChunkingParameters parameters{.target = 4_KiB};
	const std::uint64_t zeros = 16_KiB;
	for (const std::uint64_t count : {10, 3000, 100'000}) {
		Contents contents;
		const auto build = [&](std::uint64_t before, std::uint64_t written, std::uint64_t behind, std::uint64_t rest) {
			TreeBuilder builder(TreeKind::chunk_list, contents.nodes.sink());
			contents.append(builder, 0, std::string(5000, 'h'));
			for (std::uint64_t i = 0; i < before; i++)
				builder.append_chunk(zero_digest(zeros), zeros);
			if (written)
				contents.append(builder, written - 100, std::string(100, 'x'));
			for (std::uint64_t i = 0; i < behind; i++)
				builder.append_chunk(zero_digest(zeros), zeros);
			contents.append(builder, rest, "end of the hole");
			contents.append(builder, 0, std::string(6000, 't'));
			return builder.finish().id;
		};
		const Digest plain = build(count, 0, 0, 7000);
		const Digest few = build(3, 9000, count - 4, zeros - 9000 + 7000), many = build(3, 5000, count - 3, 2000);
		const Digest other = build(3, 4000, count - 3, 3000);
		for (const auto &[a, b, size] : {std::tuple(plain, few, "9000"), {few, plain, "9000"}, {plain, many, "5000"},
			     {many, plain, "5000"}, {many, other, "5000"}}) {
			const std::string range = std::to_string(5000 + 3 * zeros) + "+" + size;
			BOOST_TEST(contents.text_between(a, b, parameters).starts_with(" replaced " + range + ":" + range));
		}
		for (const auto &[a, b] : {std::pair(plain, few), {few, plain}, {plain, many}, {many, plain}}) {
			const std::string text = contents.text_between(a, b, parameters);
			BOOST_TEST(text.find(' ', 10) == text.npos);
		}
		contents.chunks.clear();
		BOOST_TEST(contents.text_between(plain, few, parameters) != "");
		BOOST_TEST(contents.reads < 60U);
	}
}

BOOST_AUTO_TEST_CASE(a_hole_in_the_place_of_content_is_not_compared_with_it)
{
	const ChunkingParameters parameters{.target = 4_KiB};
	Contents contents;
	TreeBuilder before(TreeKind::chunk_list, contents.nodes.sink()), after(TreeKind::chunk_list, contents.nodes.sink());
	for (int i = 0; i < 400; i++)
		contents.append(before, 0, std::string(4_KiB, static_cast<char>('0' + i % 60)));
	for (int i = 0; i < 100; i++)
		after.append_chunk(zero_digest(16_KiB), 16_KiB);
	const std::string range = std::to_string(400 * 4_KiB);
	BOOST_TEST(contents.text_between(before.finish().id, after.finish().id, parameters) ==
		" replaced 0+" + range + ":0+" + range);
	BOOST_TEST(contents.reads <= 1U);
}

BOOST_AUTO_TEST_CASE(the_ranges_are_a_patch_after_any_edits)
{
	for (unsigned seed = 1; seed <= 40; seed++) {
		BOOST_TEST_CONTEXT("seed " << seed) {
			std::mt19937 random(seed);
			const List before = counted_list(0, random() % (seed % 4 ? 300 : 3000));
			List after = before;
			for (unsigned edits = random() % 6; edits > 0; edits--) {
				const auto at = after.begin() + static_cast<std::ptrdiff_t>(random() % (after.size() + 1));
				const auto end = at + std::min<std::ptrdiff_t>(after.end() - at, random() % 50);
				List other = counted_list(random() % 4000, random() % 50);
				if (random() % 2)
					other.assign(at, end);
				const auto to = after.erase(at, end);
				const auto anywhere = after.begin() + static_cast<std::ptrdiff_t>(random() % (after.size() + 1));
				after.insert(random() % 2 ? anywhere : to, other.begin(), other.end());
			}
			Nodes nodes;
			require_patch(before, after, ranges_between(before, after, nodes));
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
	BOOST_TEST(ranges.size() == 4U);
	// There are some 1,600 nodes in each list, and a window of 1024 chunks has about 10.
	BOOST_TEST(nodes.reads < 120U);
}

// Each second chunk is another one: there are more parts than are kept.
BOOST_AUTO_TEST_CASE(lists_with_many_differences_are_walked_twice)
{
	const List before = counted_list(0, 150'000);
	List after = before;
	for (std::uint32_t i = 0; i < after.size(); i += 2)
		after[i] += 1'000'000;
	Nodes nodes;
	const std::vector<ChangedRange> ranges = ranges_between(before, after, nodes);
	BOOST_TEST(ranges.size() == 75'000U);
	std::uint64_t offset = 0;
	for (std::uint32_t i = 0; i < ranges.size(); i++) {
		BOOST_REQUIRE((ranges[i] == ChangedRange{offset, size_of(2 * i), offset, size_of(2 * i)}));
		offset += size_of(2 * i) + size_of(2 * i + 1);
	}
}

BOOST_AUTO_TEST_SUITE_END()
