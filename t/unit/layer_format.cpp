// Headers, blocks and small files of the format, and what is refused.
#include "libdig/format/layer_format.h"

#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

namespace {

LayerHeader some_header()
{
	LayerHeader header;
	header.store_id = digest_of(bytes_of("store"));
	header.generation = 3;
	header.parent_root = digest_of(bytes_of("parent"));
	header.manifest_root = digest_of(bytes_of("manifest"));
	header.time_s = 1700000000;
	header.chunking = digest_of(bytes_of("chunking"));
	header.texts = texts_digest("author", "message");
	header.entries = 5;
	header.bytes = 1000;
	return header;
}

Buffer extension(std::uint16_t type, std::string_view value)
{
	Buffer out;
	put_u16(out, type);
	put_u32(out, static_cast<std::uint32_t>(value.size()));
	append(out, bytes_of(value));
	return out;
}

// A block of raw items, stored as they are.
Buffer block_of(const std::vector<std::uint32_t> &sizes, Bytes payload, Codec codec = Codec::none)
{
	Buffer block = block_prefix(codec, ItemKind::chunk, sizes, payload);
	append(block, payload);
	return block;
}

// The fields are in order, the checksum is that of the changed header.
Buffer resealed(Buffer block, std::size_t items)
{
	const std::uint32_t sum = crc32_of(Bytes(block).subspan(24, items > 1 ? 4 * items : 0),
		crc32_of(Bytes(block).first(20)));
	std::memcpy(block.data() + 20, &sum, 4);
	return block;
}

BlockShape parse(Bytes block) { return parse_block_prefix(block, "layer", 24); }

} // namespace

BOOST_AUTO_TEST_SUITE(layer_format)

BOOST_AUTO_TEST_CASE(the_bytes_of_a_header)
{
	const LayerHeader header = some_header();
	const Buffer encoded = header.encoded();
	BOOST_TEST(encoded.size() == 2U + 1 + 32 + 8 + 32 + 32 + 8 + 32 + 32 + 8 + 8);
	BOOST_TEST(to_hex(Bytes(encoded).first(3)) == "010001");
	BOOST_TEST(load<std::uint64_t>(encoded.data() + 35) == 3U);
	BOOST_TEST(load<std::int64_t>(encoded.data() + 107) == 1700000000);
	const std::uint8_t five = 5;
	BOOST_TEST((header.id() == digest_of({Bytes(&five, 1), encoded})));
	const LayerHeader back = LayerHeader::decode(encoded, "layer");
	BOOST_TEST((back.encoded() == encoded));
}

BOOST_AUTO_TEST_CASE(unknown_extensions_are_carried_along)
{
	LayerHeader header = some_header();
	header.extensions = extension(7, "seven");
	append(header.extensions, extension(9, ""));
	const LayerHeader back = LayerHeader::decode(header.encoded(), "layer");
	BOOST_TEST((back.id() == header.id()));
	for (const auto &[first, second] : {std::pair(9, 7), std::pair(7, 7)}) {
		header.extensions = extension(static_cast<std::uint16_t>(first), "x");
		append(header.extensions, extension(static_cast<std::uint16_t>(second), "y"));
		BOOST_CHECK_THROW(LayerHeader::decode(header.encoded(), "layer"), CorruptError);
	}
}

BOOST_AUTO_TEST_CASE(headers_that_are_refused)
{
	Buffer encoded = some_header().encoded();
	for (std::size_t size = 0; size < encoded.size(); size++)
		BOOST_CHECK_THROW(LayerHeader::decode(Bytes(encoded).first(size), "layer"), CorruptError);
	Buffer zero = encoded;
	std::memset(zero.data() + 35, 0, 8);
	BOOST_CHECK_THROW(LayerHeader::decode(zero, "layer"), CorruptError);
	for (std::size_t field : {0, 2}) {
		Buffer unknown = encoded;
		unknown[field] = 9;
		try {
			LayerHeader::decode(unknown, "layer");
			BOOST_TEST(false);
		} catch (const Error &error) {
			BOOST_TEST(error.status() == exit_status::failed);
		}
	}
}

BOOST_AUTO_TEST_CASE(roots_of_known_layers)
{
	MerklePeaks peaks;
	Buffer message{3};
	put_u64(message, 1);
	const Digest layer = some_header().id();
	append(message, leaf_hash(layer));
	peaks.append(leaf_hash(layer));
	BOOST_TEST((root_of(peaks) == digest_of(message)));
	BOOST_TEST((texts_digest("ab", "c") != texts_digest("a", "bc")));
}

BOOST_AUTO_TEST_CASE(a_block_comes_back)
{
	const Buffer payload(60, 'x');
	const BlockShape several = parse(block_of({10, 1, 49}, payload));
	BOOST_TEST(several.prefix_size() == 36U);
	BOOST_TEST(several.length() == 96U);
	BOOST_TEST(several.sizes == (std::vector<std::uint32_t>{10, 1, 49}), boost::test_tools::per_element());
	const BlockShape single = parse(block_of({60}, payload));
	BOOST_TEST(single.prefix_size() == 24U);
	BOOST_TEST(single.sizes == std::vector<std::uint32_t>{60}, boost::test_tools::per_element());
	BOOST_TEST(single.raw_size == 60U);
}

BOOST_AUTO_TEST_CASE(no_changed_byte_of_a_blocks_head_passes)
{
	const Buffer good = block_of({10, 1, 49}, Buffer(60, 'x'));
	for (std::size_t i = 0; i < 36; i++)
		for (int bit = 0; bit < 8; bit++) {
			Buffer bad = good;
			bad[i] ^= static_cast<std::uint8_t>(1 << bit);
			BOOST_REQUIRE_THROW(parse(bad), CorruptError);
		}
	for (std::size_t size = 0; size < 36; size++)
		BOOST_REQUIRE_THROW(parse(Bytes(good).first(size)), CorruptError);
}

// With a checksum that is right: what a hostile writer would send.
BOOST_AUTO_TEST_CASE(heads_that_lie_are_refused)
{
	const Buffer good = block_of({10, 1, 49}, Buffer(60, 'x'));
	BOOST_CHECK_NO_THROW(parse(resealed(good, 3)));
	const auto refused = [&](std::size_t at, std::uint32_t value, int bytes, std::size_t items = 3) {
		Buffer bad = good;
		std::memcpy(bad.data() + at, &value, static_cast<std::size_t>(bytes));
		bad.resize(bad.size() + 4 * items);
		BOOST_TEST_CONTEXT("field at " << at << ", value " << value)
		BOOST_CHECK_THROW(parse(resealed(bad, items)), CorruptError);
	};
	refused(0, 0x4b4c4245, 4);          // magic
	refused(4, 3, 1);                   // codec
	refused(5, 0, 1);                   // kind
	refused(5, 3, 1);
	refused(6, 0, 2, 0);                // no items
	refused(6, 2, 2, 2);                // fewer sizes than bytes
	refused(8, 61, 4);                  // raw size
	refused(8, 0xffffffff, 4);
	refused(8, 4 * 1024 * 1024 + 1, 4);
	refused(12, 59, 4);                 // stored size
	refused(12, 0xffffffff, 4);
	refused(16, 1, 4);                  // a checksum where none belongs
	refused(24, 11, 4);                 // sizes
	refused(24, 0xffffffff, 4);         // that wrap
	refused(32, 0x80000031, 4);
	// An empty item.
	BOOST_CHECK_THROW(parse(block_of({10, 0, 50}, Buffer(60, 'x'))), CorruptError);
	BOOST_CHECK_THROW(parse(block_of({0}, {})), CorruptError);
	// Compressed to much more than it was.
	BOOST_CHECK_NO_THROW(parse(block_of({60}, Buffer(60 + 65536, 'x'), Codec::zstd)));
	BOOST_CHECK_THROW(parse(block_of({60}, Buffer(60 + 65537, 'x'), Codec::zstd)), CorruptError);
}

BOOST_AUTO_TEST_CASE(fanout_follows_the_count)
{
	BOOST_TEST(fanout_bits(0) == 0);
	BOOST_TEST(fanout_bits(64) == 0);
	BOOST_TEST(fanout_bits(65) == 1);
	BOOST_TEST(fanout_bits(64 * 65536) == 16);
	BOOST_TEST(fanout_bits(std::uint64_t(1) << 60) == 16);
	Digest digest;
	digest.bytes[0] = 0xab;
	digest.bytes[1] = 0xcd;
	BOOST_TEST(first_bits(digest, 0) == 0U);
	BOOST_TEST(first_bits(digest, 1) == 1U);
	BOOST_TEST(first_bits(digest, 8) == 0xabU);
	BOOST_TEST(first_bits(digest, 16) == 0xabcdU);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(store_format)

BOOST_AUTO_TEST_CASE(preambles_come_back)
{
	const Preamble preamble = make_preamble(layer_magic);
	BOOST_CHECK_NO_THROW(check_preamble(raw_bytes(preamble), layer_magic, "f"));
	BOOST_CHECK_NO_THROW(check_preamble(raw_bytes(preamble), layer_magic, "f", true));
	BOOST_CHECK_THROW(check_preamble(raw_bytes(preamble), roots_magic, "f"), CorruptError);
	const Buffer good(raw_bytes(preamble).begin(), raw_bytes(preamble).end());
	for (std::size_t i = 0; i < good.size(); i++) {
		Buffer bad = good;
		bad[i] ^= 1;
		BOOST_REQUIRE_THROW(check_preamble(bad, layer_magic, "f"), CorruptError);
		BOOST_REQUIRE_THROW(check_preamble(Bytes(good).first(i), layer_magic, "f"), CorruptError);
	}
}

// Fields: version, compatible, needed to read, needed to write.
BOOST_AUTO_TEST_CASE(unknown_needs_are_refused_and_others_are_not)
{
	const auto changed = [](std::size_t at) {
		const Preamble preamble = make_preamble(layer_magic);
		Buffer bytes(raw_bytes(preamble).begin(), raw_bytes(preamble).end());
		bytes[at + 1] = 0x40;
		const std::uint32_t sum = crc32_of(Bytes(bytes).first(20));
		std::memcpy(bytes.data() + 20, &sum, 4);
		return bytes;
	};
	const auto status = [&](std::size_t at, bool for_writing) {
		try {
			check_preamble(changed(at), layer_magic, "f", for_writing);
			return exit_status::done;
		} catch (const Error &error) {
			return error.status();
		}
	};
	BOOST_TEST(status(8, false) == exit_status::failed);
	BOOST_TEST(status(10, true) == exit_status::done);
	BOOST_TEST(status(12, false) == exit_status::failed);
	BOOST_TEST(status(14, false) == exit_status::done);
	BOOST_TEST(status(14, true) == exit_status::failed);
}

BOOST_AUTO_TEST_CASE(sealed_files_show_every_change)
{
	const Buffer good = sealed_file(roots_magic, bytes_of("some body"));
	BOOST_TEST(text_of(open_sealed_file(good, roots_magic, "f")) == "some body");
	for (std::size_t i = 0; i < good.size(); i++) {
		Buffer bad = good;
		bad[i] ^= 0x10;
		BOOST_REQUIRE_THROW(open_sealed_file(bad, roots_magic, "f"), CorruptError);
		BOOST_REQUIRE_THROW(open_sealed_file(Bytes(good).first(i), roots_magic, "f"), CorruptError);
	}
	Buffer longer = good;
	longer.push_back(0);
	BOOST_CHECK_THROW(open_sealed_file(longer, roots_magic, "f"), CorruptError);
}

BOOST_AUTO_TEST_SUITE_END()
