// Sorted runs on disk, against a map.
#include "libdig/format/chunk_run.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/staging/staging.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;

RunRecord record_of(std::uint64_t number, std::uint32_t generation = 1)
{
	RunRecord record{};
	record.digest = digest_of(raw_bytes(le64(number)));
	record.generation = generation;
	record.block = static_cast<std::uint32_t>(number);
	record.item = static_cast<std::uint16_t>(number % 1000);
	record.kind = static_cast<std::uint8_t>(number % 3 ? ItemKind::chunk : ItemKind::node);
	return record;
}

std::vector<RunRecord> sorted_records(std::uint64_t first, std::uint64_t count, std::uint32_t generation = 1)
{
	std::vector<RunRecord> records;
	for (std::uint64_t i = 0; i < count; i++)
		records.push_back(record_of(first + i, generation));
	std::sort(records.begin(), records.end());
	return records;
}

RunRecords source_of(std::vector<RunRecord> records)
{
	return [records = std::move(records), next = std::size_t(0)]() mutable -> std::optional<RunRecord> {
		if (next == records.size())
			return {};
		return records[next++];
	};
}

ChunkRun run_of(const Scratch &scratch, const std::string &name, const std::vector<RunRecord> &records,
	std::size_t cached_size = 0)
{
	const std::string path = scratch.path + "/" + name;
	{
		const File file = File::open_with(path, O_RDWR | O_CREAT | O_TRUNC);
		write_run(file, {1, 5, 77, digest_of(raw_bytes(le64(9)))}, records.size(), source_of(records));
	}
	return ChunkRun(File::open(path), cached_size);
}

ItemKind kind_of(const RunRecord &record) { return static_cast<ItemKind>(record.kind); }

} // namespace

BOOST_AUTO_TEST_SUITE(chunk_run)

BOOST_AUTO_TEST_CASE(every_item_is_found_and_no_other)
{
	Scratch scratch;
	for (std::uint64_t count : {0, 1, 84, 85, 86, 170, 5000, 40000})
		for (std::size_t cached : {std::size_t(0), std::size_t(1) << 24}) {
			const std::vector<RunRecord> records = sorted_records(0, count);
			ChunkRun run = run_of(scratch, "run", records, cached);
			BOOST_TEST(run.count() == count);
			BOOST_TEST(run.coverage().last_generation == 5U);
			BOOST_TEST(run.coverage().journal_offset == 77U);
			BOOST_TEST((run.coverage().source == digest_of(raw_bytes(le64(9)))));
			for (std::size_t i = 0; i < records.size(); i += 1 + records.size() / 500) {
				const std::optional<RunRecord> found = run.find(kind_of(records[i]), records[i].digest);
				BOOST_REQUIRE(found);
				BOOST_REQUIRE(found->block == records[i].block);
				const ItemKind other = records[i].kind == 1 ? ItemKind::node : ItemKind::chunk;
				BOOST_REQUIRE(!run.find(other, records[i].digest));
			}
			for (std::uint64_t i = 0; i < 300; i++)
				BOOST_REQUIRE(!run.find(ItemKind::chunk, record_of(1000000 + i).digest));
			Digest edge;
			BOOST_TEST(!run.find(ItemKind::chunk, edge));
			edge.bytes.fill(0xff);
			BOOST_TEST(!run.find(ItemKind::chunk, edge));
			run.check();
			RunRecords all = run.records();
			for (const RunRecord &record : records) {
				const std::optional<RunRecord> next = all();
				BOOST_REQUIRE((next && next->is_same_item(record)));
			}
			BOOST_TEST(!all());
		}
}

BOOST_AUTO_TEST_CASE(of_the_same_item_the_first_source_counts)
{
	Scratch scratch;
	std::vector<RunRecords> sources;
	sources.push_back(source_of(sorted_records(50, 100, 3)));
	sources.push_back(source_of(sorted_records(0, 100, 2)));
	sources.push_back(source_of(sorted_records(0, 200, 1)));
	RunRecords merged = merge_records(std::move(sources));
	std::map<Digest, std::uint32_t> generations;
	std::optional<RunRecord> before;
	while (const std::optional<RunRecord> record = merged()) {
		BOOST_REQUIRE((!before || *before < *record));
		generations[record->digest] = record->generation;
		before = record;
	}
	BOOST_TEST(generations.size() == 200U);
	for (std::uint64_t i = 0; i < 200; i++)
		BOOST_REQUIRE(generations[record_of(i).digest] == (i < 50 ? 2U : i < 150 ? 3U : 1U));
	BOOST_TEST(!merge_records({source_of({}), source_of({})})());
}

BOOST_AUTO_TEST_CASE(a_run_drops_items_that_come_twice)
{
	Scratch scratch;
	std::vector<RunRecord> records = sorted_records(0, 100, 2);
	const std::vector<RunRecord> older = sorted_records(0, 100, 1);
	records.insert(records.end(), older.begin(), older.end());
	std::stable_sort(records.begin(), records.end());
	ChunkRun run = run_of(scratch, "run", records);
	BOOST_TEST(run.count() == 100U);
	for (const RunRecord &record : older)
		BOOST_REQUIRE(run.find(kind_of(record), record.digest)->generation == 2U);
}

// A look-up in a damaged run throws or answers as if nothing had happened.
BOOST_AUTO_TEST_CASE(no_changed_byte_passes)
{
	Scratch scratch;
	const std::vector<RunRecord> records = sorted_records(0, 300);
	run_of(scratch, "run", records);
	const std::string path = scratch.path + "/run";
	std::ifstream in(path, std::ios::binary);
	const std::string good((std::istreambuf_iterator<char>(in)), {});
	for (std::size_t i = 0; i < good.size(); i += i < 200 || i % 4096 > 4080 ? 1 : 29) {
		std::string bad = good;
		bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
		std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
		BOOST_TEST_CONTEXT("byte " << i)
		BOOST_REQUIRE_THROW(ChunkRun(File::open(path)).check(), Error);
		try {
			ChunkRun run(File::open(path));
			for (const RunRecord &record : records) {
				const std::optional<RunRecord> found = run.find(kind_of(record), record.digest);
				BOOST_REQUIRE((found && found->block == record.block));
			}
		} catch (const Error &) {
		}
	}
	for (std::size_t size = 0; size < good.size(); size += 500) {
		std::ofstream(path, std::ios::binary | std::ios::trunc) << good.substr(0, size);
		BOOST_REQUIRE_THROW(ChunkRun(File::open(path)), Error);
	}
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(item_set)

// 1.2 million items are six times what the table holds.
BOOST_AUTO_TEST_CASE(it_is_a_set_also_when_it_lies_on_disk)
{
	Scratch scratch;
	ItemSet set(scratch.path);
	std::mt19937_64 random(1);
	constexpr std::uint64_t count = 1200000;
	const auto digest_at = [](std::uint64_t number) {
		// Uniform enough, and no SHA-256 for each.
		Digest digest;
		for (std::uint64_t i = 0; i < 4; i++) {
			std::uint64_t word = (4 * number + i + 1) * 0x9e3779b97f4a7c15;
			word = (word ^ word >> 31) * 0xbf58476d1ce4e5b9;
			word ^= word >> 29;
			std::memcpy(digest.bytes.data() + 8 * i, &word, 8);
		}
		return digest;
	};
	for (std::uint64_t i = 0; i < count; i++)
		BOOST_REQUIRE(set.insert(ItemKind::chunk, digest_at(i)));
	for (std::uint64_t i = 0; i < 3000; i++) {
		const std::uint64_t number = random() % count;
		const Digest digest = digest_at(number);
		BOOST_REQUIRE(set.contains(ItemKind::chunk, digest));
		BOOST_REQUIRE(!set.insert(ItemKind::chunk, digest));
		BOOST_REQUIRE(!set.contains(ItemKind::node, digest));
		BOOST_REQUIRE(!set.contains(ItemKind::chunk, digest_at(count + number)));
	}
	// A node with the digest of a chunk is another item.
	BOOST_TEST(set.insert(ItemKind::node, digest_at(5)));
	BOOST_TEST(!set.insert(ItemKind::node, digest_at(5)));
	BOOST_TEST(set.contains(ItemKind::node, digest_at(5)));
	// Nothing stays behind in the directory.
	BOOST_TEST(fs::is_empty(scratch.path));
}

BOOST_AUTO_TEST_SUITE_END()
