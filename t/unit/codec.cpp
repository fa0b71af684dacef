// Blocks come back as they were, and nothing else comes out of damaged ones.
#include "libdig/chunking/codec.h"

#include <random>
#include <string>

#include <zlib.h>
#include <zstd.h>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

Buffer text_of_size(std::size_t size)
{
	Buffer text;
	for (std::uint64_t i = 0; text.size() < size; i++)
		append(text, bytes_of("line " + std::to_string(i * i % 1009) + "\n"));
	text.resize(size);
	return text;
}

Buffer noise_of_size(std::size_t size)
{
	std::mt19937 random(3);
	Buffer noise(size);
	for (std::uint8_t &byte : noise)
		byte = static_cast<std::uint8_t>(random());
	return noise;
}

Buffer compressed(Codec codec, Bytes raw, int level = 0)
{
	Compressor compressor(codec, level);
	Buffer out(raw.size() + 1000);
	out.resize(compressor.compress(raw, out, out.size()));
	return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(codec)

BOOST_AUTO_TEST_CASE(every_block_comes_back)
{
	Decompressor decompressor;
	for (Codec codec : {Codec::zlib, Codec::zstd}) {
		Compressor compressor(codec, 0);
		for (std::size_t size : {1, 2, 100, 65536, 1000000, 3, 4000000}) {
			const Buffer raw = text_of_size(size);
			Buffer out(size + 1000);
			const std::size_t n = compressor.compress(raw, out, out.size());
			BOOST_REQUIRE(n > 0U);
			Buffer back(size);
			BOOST_REQUIRE(decompressor.decompress(codec, Bytes(out).first(n), back));
			BOOST_REQUIRE((back == raw));
		}
	}
	const Buffer raw = text_of_size(1000);
	Buffer back(1000);
	BOOST_TEST(decompressor.decompress(Codec::none, raw, back));
	BOOST_TEST((back == raw));
}

BOOST_AUTO_TEST_CASE(levels_are_taken)
{
	Decompressor decompressor;
	const Buffer raw = text_of_size(200000);
	for (Codec codec : {Codec::zlib, Codec::zstd})
		for (int level : {1, 6, 9, 19}) {
			Buffer back(raw.size());
			BOOST_TEST(decompressor.decompress(codec, compressed(codec, raw, level), back));
			BOOST_TEST((back == raw));
		}
}

// Blocks that shrink much, little and not at all in turn, so that each way of searching follows each.
BOOST_AUTO_TEST_CASE(less_effort_gives_the_same_content_back)
{
	Decompressor decompressor;
	Buffer half = noise_of_size(300000);
	for (std::size_t i = 0; i < half.size(); i++)
		half[i] &= 0x0f;
	const Buffer raws[] = {text_of_size(700000), half, noise_of_size(300000), text_of_size(5000), half};
	for (int level : {0, 1, 6, 19}) {
		Compressor compressor(Codec::zstd, level);
		for (int turn = 0; turn < 10; turn++) {
			const Buffer &raw = raws[turn % 5];
			Buffer out(raw.size() + 1000), back(raw.size());
			const std::size_t n = compressor.compress(raw, out, out.size(), turn == 7 ? Effort::usual : Effort::less);
			BOOST_REQUIRE(n > 0U);
			BOOST_REQUIRE(decompressor.decompress(Codec::zstd, Bytes(out).first(n), back));
			BOOST_REQUIRE((back == raw));
		}
	}
}

BOOST_AUTO_TEST_CASE(what_does_not_shrink_below_the_limit_is_refused)
{
	const Buffer noise = noise_of_size(100000);
	for (Codec codec : {Codec::zlib, Codec::zstd}) {
		Compressor compressor(codec, 0);
		Buffer out(200000);
		BOOST_TEST(compressor.compress(noise, out, noise.size() - noise.size() / 20) == 0U);
		const Buffer text = text_of_size(100000);
		const std::size_t size = compressor.compress(text, out, text.size());
		BOOST_TEST(size > 0U);
		BOOST_TEST(compressor.compress(text, out, size - 1) == 0U);
		// And it goes on working.
		BOOST_TEST(compressor.compress(text, out, size + 64) == size);
	}
	Compressor none(Codec::none, 0);
	Buffer out(100);
	BOOST_TEST(none.compress(out, out, 100) == 0U);
}

BOOST_AUTO_TEST_CASE(another_size_than_declared_is_damage)
{
	Decompressor decompressor;
	const Buffer raw = text_of_size(10000);
	for (Codec codec : {Codec::none, Codec::zlib, Codec::zstd}) {
		const Buffer payload = codec == Codec::none ? raw : compressed(codec, raw);
		for (std::size_t size : {0, 1, 9999, 10001, 20000}) {
			Buffer out(size);
			BOOST_TEST(!decompressor.decompress(codec, payload, out));
		}
		Buffer longer = payload;
		longer.push_back(0);
		Buffer out(raw.size());
		BOOST_TEST(!decompressor.decompress(codec, longer, out));
		for (std::size_t size = 0; size < payload.size(); size += 1 + payload.size() / 50)
			BOOST_TEST(!decompressor.decompress(codec, Bytes(payload).first(size), out));
		BOOST_TEST(decompressor.decompress(codec, payload, out));
	}
}

// A gigabyte of zeros in a few bytes: nothing beyond the declared size is written.
BOOST_AUTO_TEST_CASE(bombs_end_at_the_declared_size)
{
	const Buffer zeros(16_MiB);
	Decompressor decompressor;
	for (Codec codec : {Codec::zlib, Codec::zstd}) {
		const Buffer bomb = compressed(codec, zeros);
		BOOST_TEST(bomb.size() < zeros.size() / 200);
		Buffer room(1000, 0xaa);
		BOOST_TEST(!decompressor.decompress(codec, bomb, MutableBytes(room).first(500)));
		for (std::size_t i = 500; i < 1000; i++)
			BOOST_REQUIRE(room[i] == 0xaa);
	}
}

BOOST_AUTO_TEST_CASE(several_frames_are_no_block)
{
	Decompressor decompressor;
	const Buffer raw = text_of_size(1000);
	Buffer frames = compressed(Codec::zstd, Bytes(raw).first(400));
	append(frames, compressed(Codec::zstd, Bytes(raw).subspan(400)));
	Buffer out(1000);
	BOOST_TEST(!decompressor.decompress(Codec::zstd, frames, out));
	// A skippable frame in front.
	Buffer skippable{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
	append(skippable, compressed(Codec::zstd, raw));
	BOOST_TEST(!decompressor.decompress(Codec::zstd, skippable, out));
}

BOOST_AUTO_TEST_CASE(changed_bytes_never_crash_it)
{
	Decompressor decompressor;
	const Buffer raw = text_of_size(3000);
	for (Codec codec : {Codec::zlib, Codec::zstd}) {
		const Buffer good = compressed(codec, raw);
		for (std::size_t i = 0; i < good.size(); i++)
			for (int bit = 0; bit < 8; bit++) {
				Buffer bad = good;
				bad[i] ^= static_cast<std::uint8_t>(1 << bit);
				Buffer out(raw.size());
				decompressor.decompress(codec, bad, out);
			}
		Buffer out(raw.size());
		BOOST_TEST(decompressor.decompress(codec, good, out));
		BOOST_TEST((out == raw));
	}
}

BOOST_AUTO_TEST_SUITE_END()
