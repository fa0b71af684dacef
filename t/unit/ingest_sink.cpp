// The chunk list of a source is the same whatever pieces it comes in, with and without a tree.
#include "libdig/ingest/ingest_sink.h"

#include <map>

#include <boost/test/unit_test.hpp>

using namespace dig;

static std::vector<ChunkRef> some_chunks(std::size_t count)
{
	std::vector<ChunkRef> chunks;
	std::uint64_t offset = 0;
	for (std::size_t i = 0; i < count; i++) {
		const std::string text = "chunk " + std::to_string(i);
		chunks.push_back({offset, 1000 + i, digest_of(bytes_of(text)), 1});
		offset = chunks.back().end();
	}
	return chunks;
}

BOOST_AUTO_TEST_SUITE(ingest_sink)

BOOST_AUTO_TEST_CASE(chunks_in_pieces_of_any_size_give_the_tree_of_them_all)
{
	for (const std::size_t count : {1, 2, 3, 1000}) {
		const std::vector<ChunkRef> chunks = some_chunks(count);
		std::map<Digest, Buffer> expected;
		TreeBuilder whole(TreeKind::chunk_list,
			[&](const Digest &id, Bytes node) { expected[id].assign(node.begin(), node.end()); });
		for (const ChunkRef &chunk : chunks)
			whole.append_chunk(chunk.id, chunk.size);
		const Digest root = whole.finish().id;
		for (const std::size_t piece : {1, 2, 1000}) {
			std::map<Digest, Buffer> stored;
			const NodeSink nodes = [&](const Digest &id, Bytes node) { stored[id].assign(node.begin(), node.end()); };
			Source source;
			for (std::size_t at = 0; at < count; at += piece) {
				BOOST_TEST(source.has_chunks() == (at > 0));
				source.append_to_tree(std::span(chunks).subspan(at, std::min(piece, count - at)), nodes);
				source.append_to_tree({}, nodes);
			}
			BOOST_TEST(source.has_one_chunk() == (count == 1));
			BOOST_CHECK(source.last_chunk == chunks.back().id);
			BOOST_CHECK(source.finish_tree(nodes) == root);
			BOOST_CHECK(stored == expected);
		}
	}
}

BOOST_AUTO_TEST_CASE(a_tree_that_was_asked_for_early_goes_on)
{
	const std::vector<ChunkRef> chunks = some_chunks(2);
	const NodeSink nowhere = [](const Digest &, Bytes) {};
	Source source;
	source.append_to_tree(std::span(chunks).first(1), nowhere);
	BOOST_TEST(!source.tree);
	BOOST_TEST(source.get_tree(nowhere).leaves() == 1);
	BOOST_TEST(source.has_one_chunk());
	source.append_to_tree(std::span(chunks).last(1), nowhere);
	BOOST_TEST(!source.has_one_chunk());
	TreeBuilder whole(TreeKind::chunk_list, nowhere);
	for (const ChunkRef &chunk : chunks)
		whole.append_chunk(chunk.id, chunk.size);
	BOOST_CHECK(source.finish_tree(nowhere) == whole.finish().id);
}

BOOST_AUTO_TEST_CASE(equal_chunks_in_a_row_are_more_than_one)
{
	const NodeSink nowhere = [](const Digest &, Bytes) {};
	const ChunkRef hole{0, 1000, digest_of(bytes_of("hole")), 5};
	Source source;
	source.append_to_tree(std::span(&hole, 1), nowhere);
	BOOST_TEST(!source.has_one_chunk());
	BOOST_TEST(source.tree->leaves() == 5u);
	Source empty;
	BOOST_TEST(!empty.has_chunks());
	BOOST_CHECK(empty.finish_tree(nowhere) == empty_root(TreeKind::chunk_list));
}

BOOST_AUTO_TEST_SUITE_END()
