// What compression gains decides what is stored of a block.
#include "libdig/chunking/block_compressor.h"

#include <random>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

// size bytes, of which the last zero_count are zero and the others are noise.
Buffer noise_and_zeros(std::size_t size, std::size_t zero_count)
{
	std::mt19937 random(5);
	Buffer bytes(size);
	for (std::size_t i = 0; i < size - zero_count; i++)
		bytes[i] = static_cast<std::uint8_t>(random());
	return bytes;
}

constexpr Codec codecs[] = {Codec::zlib, Codec::zstd};

} // namespace

BOOST_AUTO_TEST_SUITE(block_compressor)

BOOST_AUTO_TEST_CASE(what_shrinks_by_5_percent_is_stored_compressed)
{
	const Buffer raw = noise_and_zeros(100'000, 10'000);
	Buffer room(raw.size()), back(raw.size());
	for (const Codec codec : codecs) {
		const BlockPayload payload = BlockCompressor(codec, 0).compress(raw, room);
		BOOST_TEST((payload.codec == codec));
		BOOST_TEST(payload.bytes.data() == room.data());
		BOOST_TEST(payload.bytes.size() < 95'000u);
		BOOST_TEST(Decompressor().decompress(codec, payload.bytes, back));
		BOOST_TEST((back == raw));
	}
}

BOOST_AUTO_TEST_CASE(what_shrinks_by_less_is_stored_as_it_is)
{
	const Buffer raw = noise_and_zeros(100'000, 4'000);
	Buffer room(raw.size());
	for (const Codec codec : codecs) {
		const BlockPayload payload = BlockCompressor(codec, 0).compress(raw, room);
		BOOST_TEST((payload.codec == Codec::none));
		BOOST_TEST(payload.bytes.data() == raw.data());
		BOOST_TEST(payload.bytes.size() == raw.size());
	}
}

BOOST_AUTO_TEST_CASE(without_a_codec_all_is_stored_as_it_is)
{
	const Buffer raw(1000);
	Buffer room(raw.size());
	const BlockPayload payload = BlockCompressor(Codec::none, 0).compress(raw, room);
	BOOST_TEST((payload.codec == Codec::none));
	BOOST_TEST(payload.bytes.data() == raw.data());
}

// A frame of zlib or zstd is longer than one byte.
BOOST_AUTO_TEST_CASE(nothing_is_stored_larger_than_it_is)
{
	const Buffer raw(1);
	Buffer room(65536);
	for (const Codec codec : codecs)
		BOOST_TEST((BlockCompressor(codec, 0).compress(raw, room).codec == Codec::none));
}

BOOST_AUTO_TEST_CASE(samples_tell_noise_from_what_shrinks)
{
	BlockCompressor compressor(Codec::zstd, 0);
	Buffer room(1'000'000);
	BOOST_TEST(!compressor.looks_compressible(noise_and_zeros(1'000'000, 0), room));
	BOOST_TEST(compressor.looks_compressible(noise_and_zeros(1'000'000, 20'000), room));
	// Too small to be sampled.
	BOOST_TEST(compressor.looks_compressible(noise_and_zeros(131'071, 0), room));
}

BOOST_AUTO_TEST_SUITE_END()
