// Chunk lists: runs of equal chunks, and checkpoints inside a list.
#include "libdig/format/tree_builder.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

#include "t/unit/trees.h"

using namespace dig;

namespace {

// A chunk after which a node ends as soon as it may, or only where it must.
Digest chunk_that_ends_nodes(bool ends)
{
	for (std::uint32_t i = 0;; i++) {
		const Digest id = digest_of(raw_bytes(le32(i)));
		if ((id.first_word() < std::uint32_t(1) << 25) == ends)
			return id;
	}
}

} // namespace

BOOST_AUTO_TEST_SUITE(tree_builder)

BOOST_AUTO_TEST_CASE(every_offset_of_a_chunk_list_is_found)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	std::vector<std::uint64_t> starts;
	std::uint64_t size = 0;
	for (std::uint32_t i = 0; i < 30000; i++) {
		starts.push_back(size);
		const std::uint64_t chunk = 1 + i * 7919 % 50000;
		builder.append_chunk(digest_of(raw_bytes(le32(i))), chunk);
		size += chunk;
	}
	const NodeRef root = builder.finish();
	BOOST_TEST(root.bytes == size);
	BOOST_TEST(root.leaves == starts.size());
	BOOST_TEST(root.level >= 2);
	for (std::uint32_t i = 0; i < 30000; i += 371) {
		for (const std::uint64_t offset : {starts[i], starts[i + 1] - 1}) {
			TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
			nodes.reads = 0;
			at.seek_offset(offset);
			BOOST_REQUIRE(!at.at_end());
			BOOST_REQUIRE(at.offset() == starts[i]);
			BOOST_REQUIRE((at.chunk_id() == digest_of(raw_bytes(le32(i)))));
			BOOST_REQUIRE(nodes.reads <= 4U);
		}
	}
	TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
	at.seek_offset(size);
	BOOST_TEST(at.at_end());
}

BOOST_AUTO_TEST_CASE(a_chunk_list_goes_on_from_every_checkpoint)
{
	const auto chunk = [](std::uint32_t i) { return digest_of(raw_bytes(le32(i))); };
	constexpr std::uint32_t count = 5000;
	Nodes nodes;
	TreeBuilder whole(TreeKind::chunk_list, nodes.sink());
	std::vector<Buffer> checkpoints;
	for (std::uint32_t i = 0; i < count; i++) {
		if (i % 97 == 0)
			checkpoints.push_back(whole.checkpoint());
		whole.append_chunk(chunk(i), i + 1);
	}
	const Digest expected = whole.finish().id;
	for (std::size_t k = 0; k < checkpoints.size(); k++) {
		TreeBuilder rest = TreeBuilder::resume(checkpoints[k], "test", nodes.sink());
		for (std::uint32_t i = static_cast<std::uint32_t>(k) * 97; i < count; i++)
			rest.append_chunk(chunk(i), i + 1);
		BOOST_REQUIRE(rest.leaves() == count);
		BOOST_REQUIRE((rest.finish().id == expected));
	}
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_corrupt_or_harmless)
{
	Nodes nodes;
	TreeBuilder whole(TreeKind::chunk_list, nodes.sink());
	for (std::uint32_t i = 0; i < 700; i++)
		whole.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
	const Buffer good = whole.checkpoint();
	for (std::size_t size = 0; size < good.size(); size += 13)
		BOOST_CHECK_THROW(TreeBuilder::resume(Bytes(good).first(size), "test", nodes.sink()), CorruptError);
	for (std::size_t i = 0; i < good.size(); i++) {
		Buffer bad = good;
		bad[i] ^= 0xff;
		try {
			TreeBuilder::resume(bad, "test", nodes.sink()).finish();
		} catch (const CorruptError &) {
		}
	}
}

BOOST_AUTO_TEST_CASE(a_run_of_equal_chunks_is_as_many_single_ones)
{
	for (const bool ends : {false, true}) {
		const Digest id = chunk_that_ends_nodes(ends);
		for (const std::uint64_t count : {1, 2, 31, 32, 33, 511, 512, 513, 1024, 17 * 512, 17 * 512 + 30,
			     512 * 32 - 1, 512 * 32, 512 * 512 - 1, 512 * 512 + 1})
			for (const std::uint32_t before : {0, 30, 512, 1300}) {
				Nodes in_runs, one_by_one;
				TreeBuilder a(TreeKind::chunk_list, in_runs.sink()), b(TreeKind::chunk_list, one_by_one.sink());
				const auto other = [&](std::uint32_t i) {
					a.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
					b.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
				};
				for (std::uint32_t i = 0; i < before; i++)
					other(i);
				in_runs.writes = 0;
				a.append_chunks(id, 4096, count);
				BOOST_REQUIRE(in_runs.writes < 12U);
				for (std::uint64_t i = 0; i < count; i++)
					b.append_chunk(id, 4096);
				BOOST_REQUIRE((a.checkpoint() == b.checkpoint()));
				for (std::uint32_t i = 0; i < before; i++)
					other(7 * i);
				const NodeRef left = a.finish(), right = b.finish();
				BOOST_REQUIRE((left.id == right.id));
				BOOST_REQUIRE(left.leaves == right.leaves);
				BOOST_REQUIRE(left.bytes == right.bytes);
				BOOST_REQUIRE((in_runs.stored == one_by_one.stored));
			}
	}
}

BOOST_AUTO_TEST_CASE(a_run_of_any_length_costs_some_nodes)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	const Digest zeros = chunk_that_ends_nodes(false), other = digest_of(bytes_of("other"));
	constexpr std::uint64_t count = std::uint64_t(1) << 49;
	builder.append_chunk(other, 7);
	builder.append_chunks(zeros, 16384, count);
	builder.append_chunk(other, 7);
	const NodeRef root = builder.finish();
	BOOST_TEST(root.bytes == (count << 14) + 14);
	BOOST_TEST(root.leaves == count + 2);
	BOOST_TEST(nodes.writes < 30U);
	TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
	at.settle();
	BOOST_TEST(at.skip_run() == 1U);
	at.settle();
	BOOST_TEST(at.skip_run() == count);
	BOOST_TEST(at.offset() == (count << 14) + 7);
	at.settle();
	BOOST_TEST((at.chunk_id() == other));
	BOOST_TEST(at.skip_run() == 1U);
	BOOST_TEST(at.at_end());
	BOOST_TEST(nodes.reads < 100U);
}

BOOST_AUTO_TEST_CASE(a_run_ends_where_it_is_told_to)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	const Digest zeros = chunk_that_ends_nodes(false);
	for (std::uint32_t i = 0; i < 100; i++)
		builder.append_chunk(digest_of(raw_bytes(le32(i))), 1);
	builder.append_chunks(zeros, 1, 1000000);
	const NodeRef root = builder.finish();
	for (const std::uint64_t most : {1, 511, 512, 513, 400000, 999999, 1000000, 1000001}) {
		TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
		at.seek_offset(100);
		BOOST_REQUIRE(at.skip_run(most) == std::min<std::uint64_t>(most, 1000000));
		BOOST_REQUIRE(at.at_end() == (most >= 1000000));
		BOOST_REQUIRE(at.offset() == 100 + std::min<std::uint64_t>(most, 1000000));
	}
}

BOOST_AUTO_TEST_CASE(equal_runs_are_passed_wherever_their_nodes_end)
{
	Nodes nodes;
	const Digest zeros = chunk_that_ends_nodes(false);
	const auto list = [&](std::uint32_t before, std::uint64_t count) {
		TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
		for (std::uint32_t i = 0; i < before; i++)
			builder.append_chunk(digest_of(raw_bytes(le32(i))), 1);
		builder.append_chunks(zeros, 1, count);
		builder.append_chunk(digest_of(bytes_of("end")), 1);
		return builder.finish().id;
	};
	constexpr std::uint64_t count = 1000000000;
	TreeCursor a(TreeKind::chunk_list, list(3, count), nodes.source());
	TreeCursor b(TreeKind::chunk_list, list(20, count + 5), nodes.source());
	a.seek_offset(3);
	b.seek_offset(20);
	nodes.reads = 0;
	skip_equal(a, b);
	BOOST_TEST(nodes.reads < 300U);
	BOOST_TEST(a.offset() == count + 3);
	BOOST_TEST(b.offset() == count + 20);
}

// The journal of another's store may hold anything: no checkpoint makes a tree whose sums are wrong, or
// one that does not end.
BOOST_AUTO_TEST_CASE(a_checkpoint_that_no_builder_left_is_corrupt)
{
	for (const int chunks : {1, 700, 40000}) {
		Nodes nodes;
		TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
		for (int i = 0; i < chunks; i++)
			builder.append_chunk(digest_of(bytes_of(std::to_string(i))), 1000);
		const Buffer good = builder.checkpoint();
		BOOST_CHECK_NO_THROW(TreeBuilder::resume(good, "test", nodes.sink()));
		std::mt19937 random(1);
		for (int i = 0; i < 3000; i++) {
			Buffer bad = good;
			for (int edits = 0; edits < 1 + i % 3; edits++)
				bad[random() % (i % 2 ? bad.size() : std::min<std::size_t>(bad.size(), 120))] =
					static_cast<std::uint8_t>(random() % 3);
			try {
				TreeBuilder resumed = TreeBuilder::resume(bad, "test", nodes.sink());
				const std::uint64_t bytes = resumed.bytes();
				const NodeRef root = resumed.finish();
				BOOST_REQUIRE(root.bytes <= bytes);
			} catch (const CorruptError &) {
			}
		}
		// The sums of all, and of the first level.
		for (const std::size_t at : {0, 8, 17, 25}) {
			Buffer bad = good;
			bad[at]++;
			BOOST_CHECK_THROW(TreeBuilder::resume(bad, "test", nodes.sink()), CorruptError);
		}
	}
}

BOOST_AUTO_TEST_SUITE_END()
