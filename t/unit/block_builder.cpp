#include "libdig/ingest/block_builder.h"

#include <cstring>
#include <random>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

// A segment in memory with pieces of these sizes: noise, text, or zeros that are nowhere.
struct Segment {
	Buffer room;
	std::vector<Piece> pieces;
	std::vector<Buffer> contents;

	explicit Segment(std::size_t size) : room(size) {}

	void add(std::size_t size, char kind)
	{
		Buffer content(size);
		std::mt19937 random(static_cast<unsigned>(pieces.size() + 1));
		if (kind != 'z')
			for (std::uint8_t &byte : content)
				byte = static_cast<std::uint8_t>(kind == 'n' ? random() : 'a' + random() % 4);
		contents.push_back(content);
		std::uint8_t *const at = room.data() + used_;
		std::memcpy(at, content.data(), size);
		pieces.push_back({kind == 'z' ? MutableBytes() : MutableBytes(at, size), size, digest_of(content)});
		used_ += kind == 'z' ? 0 : size;
	}

private:
	std::size_t used_ = 0;
};

// Everything comes back out of the blocks, in order; returns their raw sizes.
std::vector<std::size_t> built(Segment &segment, const Settings &settings, Effort effort)
{
	CompressorPool pool(settings, 1, 2_MiB);
	BlockBuilder builder(settings, pool, 128_KiB);
	std::vector<Piece *> all;
	for (Piece &piece : segment.pieces)
		all.push_back(&piece);
	std::vector<ReadyBlock> blocks;
	std::vector<Buffer> apart;
	builder.build(all, effort, blocks, apart);
	std::vector<std::size_t> sizes;
	std::size_t piece = 0;
	Decompressor decompressor;
	for (const ReadyBlock &block : blocks) {
		std::size_t size = 0;
		for (std::uint32_t item : block.sizes)
			size += item;
		Buffer raw(size);
		BOOST_REQUIRE(decompressor.decompress(block.codec, block.payload, raw));
		BOOST_REQUIRE_EQUAL(block.sizes.size(), block.digests.size());
		for (std::size_t i = 0, at = 0; i < block.sizes.size(); at += block.sizes[i++], piece++) {
			BOOST_REQUIRE(piece < segment.contents.size());
			BOOST_REQUIRE((Bytes(raw).subspan(at, block.sizes[i]).size() == segment.contents[piece].size()));
			BOOST_REQUIRE(std::memcmp(raw.data() + at, segment.contents[piece].data(), block.sizes[i]) == 0);
			BOOST_REQUIRE((block.digests[i] == segment.pieces[piece].id));
		}
		sizes.push_back(size);
	}
	BOOST_REQUIRE_EQUAL(piece, segment.contents.size());
	return sizes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(block_builder)

BOOST_AUTO_TEST_CASE(every_kind_of_piece_comes_back)
{
	for (const Effort effort : {Effort::usual, Effort::less})
		for (const Compression compression : {Compression::automatic, Compression::zlib, Compression::none}) {
			Settings settings;
			settings.core.compression = compression;
			Segment segment(20_MiB);
			for (const char kind : {'t', 'n', 'z', 't'}) {
				segment.add(1, kind);
				segment.add(5000, kind);
				segment.add(100000, kind);
				segment.add(1500000, kind);
			}
			built(segment, settings, effort);
		}
}

BOOST_AUTO_TEST_CASE(small_pieces_share_blocks_of_even_size)
{
	Segment segment(4_MiB);
	for (int i = 0; i < 400; i++)
		segment.add(5000, 't');
	const std::vector<std::size_t> sizes = built(segment, Settings(), Effort::less);
	BOOST_REQUIRE_EQUAL(sizes.size(), 3U);
	for (const std::size_t size : sizes) {
		BOOST_TEST(size > 600000U);
		BOOST_TEST(size < 700000U);
	}
}

BOOST_AUTO_TEST_CASE(a_piece_larger_than_all_rooms_is_compressed)
{
	Segment segment(10_MiB);
	segment.add(5000000, 't');
	segment.add(3000000, 't');
	built(segment, Settings(), Effort::usual);
}

BOOST_AUTO_TEST_CASE(no_pieces_make_no_blocks)
{
	Segment segment(1);
	BOOST_TEST(built(segment, Settings(), Effort::usual).empty());
}

BOOST_AUTO_TEST_SUITE_END()
