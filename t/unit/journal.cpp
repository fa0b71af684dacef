// The journal comes back as far as it is whole, whatever its tail is.
#include "libdig/staging/journal.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string &path)
{
	std::ifstream in(path, std::ios::binary);
	return std::string((std::istreambuf_iterator<char>(in)), {});
}

void write_content(const std::string &path, const std::string &content)
{
	std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

struct Read {
	std::vector<std::uint64_t> offsets;
	std::uint64_t end = 0;
	bool is_torn = false;
};

Read read_all(const std::string &path, std::uint64_t from = 0)
{
	const File file = File::open(path);
	JournalReader reader(file, from);
	Read read;
	while (const std::optional<JournalRecord> record = reader.next())
		read.offsets.push_back(record->offset);
	read.end = reader.offset();
	read.is_torn = reader.is_torn();
	return read;
}

// A record of a block of so many chunks of one byte.
JournalBlock block_of(std::uint16_t items)
{
	JournalBlock block;
	block.record.offset = 100;
	block.record.length = sizeof(BlockHeader) + (items > 1 ? 4u * items : 0u) + items;
	block.record.raw_size = items;
	block.record.items = items;
	block.record.kind = static_cast<std::uint8_t>(ItemKind::chunk);
	block.items.resize(items);
	return block;
}

Buffer some_records()
{
	Buffer records;
	const JournalMark mark{100, 3};
	put_journal_record(records, JournalType::mark, [&](Buffer &body) { mark.encode(body); });
	JournalBlock block = block_of(2);
	block.number = 3;
	block.items = {digest_of(bytes_of("a")), digest_of(bytes_of("b"))};
	put_journal_record(records, JournalType::block, [&](Buffer &body) { block.encode(body); });
	const JournalFailure failure{"some/path", "a message"};
	put_journal_record(records, JournalType::failed, [&](Buffer &body) { failure.encode(body); });
	put_journal_record(records, JournalType::cancelled, [](Buffer &) {});
	return records;
}

} // namespace

BOOST_AUTO_TEST_SUITE(journal)

BOOST_AUTO_TEST_CASE(records_come_back)
{
	Scratch scratch;
	const std::string path = scratch.path + "/journal";
	const StagingId id = new_staging_id();
	create_journal(path, id, some_records());
	const File file = File::open(path);
	JournalReader reader(file);
	BOOST_TEST((reader.id() == id));
	std::optional<JournalRecord> record = reader.next();
	BOOST_REQUIRE((record && record->type == JournalType::mark));
	const JournalMark mark = JournalMark::decode(record->body, "j", record->offset);
	BOOST_TEST(mark.pack_size == 100U);
	BOOST_TEST(mark.block_count == 3U);
	record = reader.next();
	BOOST_REQUIRE((record && record->type == JournalType::block));
	const JournalBlock block = JournalBlock::decode(record->body, "j", record->offset);
	BOOST_TEST(block.number == 3U);
	BOOST_TEST(std::uint64_t(block.record.offset) == 100U);
	BOOST_REQUIRE(block.items.size() == 2U);
	BOOST_TEST((block.items[1] == digest_of(bytes_of("b"))));
	record = reader.next();
	BOOST_REQUIRE((record && record->type == JournalType::failed));
	const JournalFailure failure = JournalFailure::decode(record->body, "j", record->offset);
	BOOST_TEST(failure.path == "some/path");
	BOOST_TEST(failure.message == "a message");
	record = reader.next();
	BOOST_REQUIRE((record && record->type == JournalType::cancelled && record->body.empty()));
	BOOST_TEST(!reader.next());
	BOOST_TEST(!reader.is_torn());
	BOOST_TEST(reader.offset() == file.size());
}

BOOST_AUTO_TEST_CASE(notes_and_checkpoints_come_back)
{
	Buffer body;
	JournalNote note;
	note.layer_id = digest_of(bytes_of("layer"));
	note.pack_size = 1234567890123;
	note.sequence = 42;
	note.manifest_root = digest_of(bytes_of("manifest"));
	note.encode(body);
	const JournalNote read = JournalNote::decode(body, "j", 0);
	BOOST_TEST((read.layer_id == note.layer_id && read.manifest_root == note.manifest_root));
	BOOST_TEST(read.pack_size == note.pack_size);
	BOOST_TEST(read.sequence == note.sequence);
	body.push_back(0);
	BOOST_CHECK_THROW(JournalNote::decode(body, "j", 0), CorruptError);

	body.clear();
	JournalCheckpoint checkpoint;
	checkpoint.file.entry.path = "big";
	checkpoint.file.is_removed = true;
	checkpoint.file.has_stat = true;
	checkpoint.file.stat_size = 1_GiB;
	checkpoint.offset = 256_MiB;
	checkpoint.tree = {1, 2, 3};
	checkpoint.encode(body);
	const JournalCheckpoint back = JournalCheckpoint::decode(checkpoint.type(), body, "j", 0);
	BOOST_TEST(back.origin.empty());
	BOOST_TEST(back.file.entry.path == "big");
	BOOST_TEST(back.file.stat_size == 1_GiB);
	BOOST_TEST(back.offset == 256_MiB);
	BOOST_TEST((back.tree == checkpoint.tree));

	body.clear();
	checkpoint.file.has_stat = false;
	checkpoint.origin = "that url";
	checkpoint.encode(body);
	BOOST_TEST((checkpoint.type() == JournalType::stream));
	const JournalCheckpoint stream = JournalCheckpoint::decode(JournalType::stream, body, "j", 0);
	BOOST_TEST(stream.origin == "that url");
	BOOST_TEST(stream.offset == 256_MiB);
	BOOST_TEST((stream.tree == checkpoint.tree));
	body.resize(body.size() - 15);
	BOOST_CHECK_THROW(JournalCheckpoint::decode(JournalType::stream, body, "j", 0), CorruptError);
}

BOOST_AUTO_TEST_CASE(a_torn_tail_ends_it_behind_the_last_whole_record)
{
	Scratch scratch;
	const std::string path = scratch.path + "/journal";
	create_journal(path, new_staging_id(), some_records());
	const std::string good = content_of(path);
	Read whole = read_all(path);
	BOOST_REQUIRE(whole.offsets.size() == 4U);
	whole.offsets.push_back(good.size());
	for (std::size_t size = journal_start; size <= good.size(); size++) {
		write_content(path, good.substr(0, size));
		const Read read = read_all(path);
		std::size_t complete = 0;
		while (complete < 4 && whole.offsets[complete + 1] <= size)
			complete++;
		BOOST_REQUIRE(read.offsets.size() == complete);
		BOOST_REQUIRE(read.end == whole.offsets[complete]);
		BOOST_REQUIRE(read.is_torn == (size != whole.offsets[complete]));
	}
	// Shorter than its head: no journal at all.
	for (std::size_t size = 0; size < journal_start; size++) {
		write_content(path, good.substr(0, size));
		BOOST_REQUIRE_THROW(read_all(path), CorruptError);
	}
	// What a file system may leave behind the end that was synced.
	for (const std::string &tail : {std::string(1, '\0'), std::string(4096, '\0'), std::string(3000, '\xff'),
		     good.substr(journal_start, 20), good.substr(30)}) {
		write_content(path, good + tail);
		const Read read = read_all(path);
		BOOST_REQUIRE(read.offsets.size() >= 4U);
		BOOST_REQUIRE((read.is_torn || read.end == good.size() + tail.size()));
	}
}

BOOST_AUTO_TEST_CASE(a_changed_byte_ends_it_before_its_record)
{
	Scratch scratch;
	const std::string path = scratch.path + "/journal";
	create_journal(path, new_staging_id(), some_records());
	const std::string good = content_of(path);
	const Read whole = read_all(path);
	for (std::size_t i = 0; i < good.size(); i++) {
		std::string bad = good;
		bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
		write_content(path, bad);
		if (i < journal_start) {
			BOOST_REQUIRE_THROW(read_all(path), Error);
			continue;
		}
		const Read read = read_all(path);
		const std::size_t record = static_cast<std::size_t>(
			std::upper_bound(whole.offsets.begin(), whole.offsets.end(), i) - whole.offsets.begin()) - 1;
		BOOST_TEST_CONTEXT("byte " << i) {
			BOOST_REQUIRE(read.offsets.size() == record);
			BOOST_REQUIRE(read.is_torn);
		}
	}
}

BOOST_AUTO_TEST_CASE(reading_starts_where_it_is_told)
{
	Scratch scratch;
	const std::string path = scratch.path + "/journal";
	create_journal(path, new_staging_id(), some_records());
	const Read whole = read_all(path);
	for (std::size_t i = 0; i < whole.offsets.size(); i++)
		BOOST_TEST(read_all(path, whole.offsets[i]).offsets.size() == whole.offsets.size() - i);
	BOOST_TEST(read_all(path, whole.end).offsets.empty());
	BOOST_TEST(read_all(path, whole.end + 1000).offsets.empty());
}

BOOST_AUTO_TEST_CASE(many_records_and_large_ones)
{
	Scratch scratch;
	const std::string path = scratch.path + "/journal";
	Buffer records;
	for (std::uint32_t i = 0; i < 5000; i++) {
		JournalBlock block = block_of(static_cast<std::uint16_t>(i % 977 == 0 ? 65535 : i % 30 + 1));
		block.number = i;
		block.items.back() = digest_of(raw_bytes(le32(i)));
		if (i % 2)
			block.checksum = i;
		put_journal_record(records, JournalType::block, [&](Buffer &body) { block.encode(body); });
	}
	create_journal(path, new_staging_id(), records);
	const File file = File::open(path);
	JournalReader reader(file);
	for (std::uint32_t i = 0; i < 5000; i++) {
		const std::optional<JournalRecord> record = reader.next();
		BOOST_REQUIRE(record);
		const JournalBlock block = JournalBlock::decode(record->body, "j", record->offset);
		BOOST_REQUIRE(block.number == i);
		BOOST_REQUIRE((block.items.back() == digest_of(raw_bytes(le32(i)))));
		BOOST_REQUIRE((block.checksum == (i % 2 ? std::optional(i) : std::nullopt)));
	}
	BOOST_TEST(!reader.next());
	BOOST_TEST(!reader.is_torn());
}

BOOST_AUTO_TEST_CASE(a_block_that_can_be_none_is_refused)
{
	const std::pair<const char *, void (*)(BlockRecord &)> wrong[] = {
		{"kind 0", [](BlockRecord &record) { record.kind = 0; }},
		{"kind 3", [](BlockRecord &record) { record.kind = 3; }},
		{"codec", [](BlockRecord &record) { record.codec = 9; }},
		{"raw size", [](BlockRecord &record) { record.raw_size = record.raw_size + 1; }},
		{"a bomb", [](BlockRecord &record) { record.codec = 1; record.raw_size = 1u << 31; }},
		{"empty items", [](BlockRecord &record) { record.raw_size = 1; record.length = record.length - 2; }},
		{"short", [](BlockRecord &record) { record.length = 24; }},
		{"in the preamble", [](BlockRecord &record) { record.offset = 8; }},
		{"beyond all", [](BlockRecord &record) { record.offset = ~std::uint64_t(0) - 10; }},
		{"reserved", [](BlockRecord &record) { record.zero = 1; }},
	};
	const auto decode = [](const JournalBlock &block) {
		Buffer body;
		block.encode(body);
		return JournalBlock::decode(body, "journal", 44);
	};
	BOOST_CHECK_NO_THROW(decode(block_of(1)));
	BOOST_CHECK_NO_THROW(decode(block_of(3)));
	for (const auto &[what, change] : wrong) {
		JournalBlock block = block_of(3);
		change(block.record);
		BOOST_TEST_CONTEXT(what)
		BOOST_CHECK_THROW(decode(block), CorruptError);
	}
}

BOOST_AUTO_TEST_SUITE_END()
