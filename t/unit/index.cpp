// The staging index against a map, over many publications.
#include "libdig/staging/index_update.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;

IndexRecord record_of(const std::string &path, std::uint64_t number)
{
	IndexRecord record;
	record.entry.path = path;
	record.entry.mode = number % 01000;
	record.entry.size = number % 3 ? number : 0;
	if (record.entry.size) {
		record.entry.form = ContentForm::chunk;
		record.entry.content = digest_of(raw_bytes(le64(number)));
	}
	record.has_stat = number % 5;
	if (record.has_stat) {
		record.inode = number;
		record.stat_size = record.entry.size;
		record.read_began_ns = static_cast<std::int64_t>(number * 17);
	}
	record.sequence = IndexUpdate::new_sequence;
	return record;
}

IndexRecord removal_of(const std::string &path)
{
	IndexRecord record;
	record.entry.path = path;
	record.is_removed = true;
	record.sequence = IndexUpdate::new_sequence;
	return record;
}

std::string random_path(std::mt19937 &random, unsigned spread)
{
	// A path with a directory never has the name of one without: both cannot be in an index.
	const bool is_deep = random() % 3;
	std::string path = (is_deep ? "d" : "d-") + std::to_string(random() % 40);
	if (is_deep)
		path += "/" + std::string(random() % 60, 'x') + std::to_string(random() % spread);
	return path;
}

struct Known {
	IndexRecord record;
	std::uint64_t sequence;
};
using Model = std::map<std::string, Known>;

bool is_same(const IndexRecord &a, const Known &b)
{
	return a.is_removed == b.record.is_removed && a.sequence == b.sequence &&
		(a.is_removed || (a.entry == b.record.entry && a.has_stat == b.record.has_stat &&
					 a.inode == b.record.inode && a.read_began_ns == b.record.read_began_ns));
}

// Records that are removed and committed may be there or not.
bool is_optional(const Known &known, std::uint64_t committed)
{
	return known.record.is_removed && known.sequence <= committed;
}

void require_model(const Index &index, const Model &model, std::uint64_t committed)
{
	IndexCursor at = index.cursor();
	for (const auto &[path, known] : model) {
		if (is_optional(known, committed) && (!at.current() || at.current()->entry.path != path))
			continue;
		BOOST_REQUIRE(at.current());
		BOOST_REQUIRE(at.current()->entry.path == path);
		BOOST_REQUIRE(is_same(*at.current(), known));
		at.next();
	}
	BOOST_REQUIRE(!at.current());
}

void publish_at_random(unsigned seed, unsigned spread, unsigned most, int rounds)
{
	Scratch scratch;
	std::mt19937 random(seed);
	Model model;
	std::uint64_t committed = 0;
	for (int round = 0; round < rounds; round++) {
		IndexUpdate update(scratch.path);
		Model put;
		for (unsigned i = random() % most; i > 0; i--) {
			const std::string path = random_path(random, spread);
			const IndexRecord record = random() % 4 ? record_of(path, random()) : removal_of(path);
			update.put(record);
			put[path] = {record, 0};
		}
		const bool commits = random() % 4 == 0;
		std::uint64_t sequence = 0;
		update.publish(
			[&](IndexState &state) {
				sequence = state.last_sequence;
				if (commits)
					committed = state.committed_sequence = sequence - 1;
				state.journal_offset = static_cast<std::uint64_t>(round);
			});
		for (auto &[path, known] : put) {
			known.sequence = sequence;
			model[path] = known;
		}
		const Index index = Index::open(scratch.path);
		BOOST_REQUIRE(index.state().journal_offset == static_cast<std::uint64_t>(round));
		BOOST_REQUIRE(index.state().committed_sequence == committed);
		BOOST_REQUIRE(index.state().last_sequence == sequence);
		index.check();
		require_model(index, model, committed);
		bool has_staged = false;
		for (const auto &[path, known] : model)
			has_staged = has_staged || known.sequence > committed;
		if (has_staged)
			BOOST_REQUIRE(index.may_have_staged());
		IndexCursor at = index.cursor();
		for (int i = 0; i < 200; i++) {
			const std::string path = random_path(random, spread);
			const auto known = model.find(path);
			const std::optional<IndexRecord> found = index.find(path);
			const bool is_there = known != model.end() && !known->second.record.is_removed;
			BOOST_REQUIRE(found.has_value() == is_there);
			if (found)
				BOOST_REQUIRE(is_same(*found, known->second));
			// The cursor goes both ways.
			at.seek(path);
			auto next = model.lower_bound(path);
			while (next != model.end() && is_optional(next->second, committed) &&
				(!at.current() || at.current()->entry.path != next->first))
				++next;
			BOOST_REQUIRE((at.current() != nullptr) == (next != model.end()));
			if (at.current())
				BOOST_REQUIRE(at.current()->entry.path == next->first);
		}
	}
}

} // namespace

// POSIX has a function of this name.
namespace units {

BOOST_AUTO_TEST_SUITE(index)

BOOST_AUTO_TEST_CASE(it_is_a_map_over_many_publications)
{
	for (unsigned seed = 1; seed <= 4; seed++) {
		publish_at_random(seed, 5, 30, 40);
		publish_at_random(seed, 3000, 800, 20);
	}
}

// Beyond 4 MiB of changes a new base is written, and an update spills to sorted runs.
BOOST_AUTO_TEST_CASE(it_is_a_map_when_bases_are_merged_and_updates_spill)
{
	publish_at_random(9, 1000000, 60000, 6);
}

BOOST_AUTO_TEST_CASE(the_last_record_of_a_path_counts)
{
	Scratch scratch;
	IndexUpdate update(scratch.path);
	for (std::uint64_t i = 1; i <= 5; i++)
		update.put(record_of("a", i));
	update.put(record_of("b", 1));
	update.put(removal_of("b"));
	update.put(removal_of("c"));
	update.put(record_of("c", 4));
	update.publish(nullptr);
	const Index index = Index::open(scratch.path);
	BOOST_TEST(index.find("a")->entry.size == 5U);
	BOOST_TEST(!index.find("b"));
	BOOST_TEST(index.find("c")->entry.size == 4U);
}

BOOST_AUTO_TEST_CASE(an_empty_directory_is_an_empty_index)
{
	Scratch scratch;
	const Index index = Index::open(scratch.path);
	BOOST_TEST(!index.is_there());
	BOOST_TEST(!index.find("a"));
	BOOST_TEST(!index.may_have_staged());
	BOOST_TEST(!index.cursor().current());
	index.check();
}

BOOST_AUTO_TEST_CASE(changes_beside_another_base_are_ignored)
{
	Scratch scratch;
	{
		IndexUpdate update(scratch.path);
		update.put(record_of("old", 1));
		update.publish(nullptr);
	}
	// As after a crash between a new base and the removal of the changes.
	Scratch other;
	IndexUpdate update(other.path);
	update.put(record_of("new", 2));
	update.publish(nullptr);
	fs::copy_file(other.path + "/changes", scratch.path + "/index");
	const Index index = Index::open(scratch.path);
	BOOST_TEST(!index.find("old"));
	BOOST_TEST(index.find("new").has_value());
	IndexUpdate more(scratch.path);
	more.put(record_of("more", 3));
	more.publish(nullptr);
	const Index later = Index::open(scratch.path);
	BOOST_TEST(!later.find("old"));
	BOOST_TEST(later.find("new").has_value());
	BOOST_TEST(later.find("more").has_value());
}

BOOST_AUTO_TEST_CASE(the_longest_paths_fit)
{
	Scratch scratch;
	IndexUpdate update(scratch.path);
	std::vector<std::string> paths;
	for (char c : {'a', 'b', 'c'}) {
		std::string path(1, c);
		while (path.size() + 251 < max_path_size)
			path += "/" + std::string(250, 'p');
		path += "/" + std::string(max_path_size - path.size() - 1, c);
		paths.push_back(path);
		update.put(record_of(path, static_cast<unsigned char>(c)));
	}
	update.publish(nullptr);
	const Index index = Index::open(scratch.path);
	index.check();
	for (const std::string &path : paths)
		BOOST_TEST(index.find(path).has_value());
}

BOOST_AUTO_TEST_CASE(no_changed_byte_passes)
{
	Scratch scratch;
	IndexUpdate update(scratch.path);
	for (std::uint64_t i = 0; i < 60; i++)
		update.put(record_of("path/number/" + std::to_string(i), i));
	update.publish(nullptr);
	const std::string name = scratch.path + "/index";
	fs::rename(scratch.path + "/changes", name); // of one form with a base
	std::ifstream in(name, std::ios::binary);
	const std::string good((std::istreambuf_iterator<char>(in)), {});
	const auto write = [&](const std::string &content) {
		std::ofstream(name, std::ios::binary | std::ios::trunc) << content;
	};
	const auto read = [&] { Index::open_whole(scratch.path).check(); };
	BOOST_CHECK_NO_THROW(read());
	std::fstream file(name, std::ios::binary | std::ios::in | std::ios::out);
	const auto put = [&](std::size_t at, char byte) {
		file.seekp(static_cast<std::streamoff>(at));
		file.put(byte).flush();
	};
	for (std::size_t i = 0; i < good.size(); i++) {
		put(i, static_cast<char>(good[i] ^ (1 << i % 8)));
		BOOST_TEST_CONTEXT("byte " << i)
		BOOST_REQUIRE_THROW(read(), Error);
		put(i, good[i]);
	}
	for (std::size_t size = 0; size < good.size(); size += 97) {
		write(good.substr(0, size));
		BOOST_REQUIRE_THROW(read(), CorruptError);
	}
	write(good + "x");
	BOOST_CHECK_THROW(read(), CorruptError);
}

BOOST_AUTO_TEST_CASE(what_a_path_displaces)
{
	Scratch scratch;
	IndexUpdate update(scratch.path);
	for (const char *path : {"a", "a-b", "b/c/d", "b-", "b/d", "e"})
		update.put(record_of(path, 1));
	update.put(removal_of("b/gone"));
	update.publish(nullptr);
	const Index index = Index::open(scratch.path);
	DisplacedRecords displaced(index.cursor());
	const auto found = [&](const std::string &path) {
		std::string all;
		displaced.find(path, [&](const IndexRecord &record) { all += record.entry.path + " "; });
		return all;
	};
	BOOST_TEST(found("a") == "");
	BOOST_TEST(found("a/x") == "a ");
	BOOST_TEST(found("a/x/y") == ""); // said once
	BOOST_TEST(found("a/x/z") == "");
	BOOST_TEST(found("b") == "b/c/d b/d ");
	BOOST_TEST(found("b/c/d/e/f") == "b/c/d ");
	BOOST_TEST(found("a/y") == "a ");
	BOOST_TEST(found("f") == "");
	BOOST_TEST(found("b/gone/x") == "");
}

BOOST_AUTO_TEST_CASE(a_path_that_no_store_may_hold_is_refused)
{
	const auto paths_of = [](std::initializer_list<const char *> paths) {
		Scratch scratch;
		IndexUpdate update(scratch.path);
		for (const char *path : paths)
			update.put(record_of(path, 1));
		update.publish(nullptr);
		std::string all;
		const Index index = Index::open(scratch.path);
		for (IndexCursor at = index.cursor(); at.current(); at.next())
			all += at.current()->entry.path + " ";
		return all;
	};
	BOOST_TEST(paths_of({"a", "a/b", "a/bc", "a/bc/d", "a/bcd", "b"}) == "a a/b a/bc a/bc/d a/bcd b ");
	for (const auto paths : {std::initializer_list<const char *>{"../victim"}, {"/etc/passwd"},
			 {"a", "a/"}, {"a/b", "a//b"}, {"a/b", "a/.."}, {"a/.", "b"}, {"a/.di", "a/.dig/x"},
			 {"a/d", "a/d/.DIG"}, {""}, {"a/..a", "a/../a"}})
		BOOST_CHECK_THROW(paths_of(paths), CorruptError);
}

BOOST_AUTO_TEST_CASE(a_record_is_not_newer_than_its_file)
{
	Scratch scratch;
	File file = File::open_with(scratch.path + "/index", O_RDWR | O_CREAT);
	IndexRecord record = record_of("a", 3);
	record.sequence = 7;
	IndexFileWriter writer(file);
	writer.put(record);
	writer.finish({}, {}, {});
	Buffer all(file.size());
	file.read_exactly_at(all, 0);

	// One byte is another, and the three checksums over it are right again.
	const std::size_t tail = all.size() - sizeof(IndexTail), table = tail - 18 - 1, at = sizeof(Preamble);
	const std::size_t sequence = at + 2 + 2 + 1 + 1;
	const auto path_with = [&](std::uint8_t number) {
		all[sequence] = number;
		const auto repair = [&](std::size_t where, std::size_t begin, std::size_t end) {
			const le32 checksum = crc32_of(Bytes(all).subspan(begin, end - begin));
			std::memcpy(&all[where], &checksum, 4);
		};
		repair(table + 12, at, table);
		repair(tail + 136, table, tail);
		repair(tail + 140, tail, tail + 140);
		file.write_at(all, 0);
		IndexFileCursor cursor(std::make_shared<IndexFile>(File::open(scratch.path + "/index")));
		return cursor.current()->entry.path;
	};
	BOOST_TEST(all[sequence] == 7);
	BOOST_TEST(path_with(7) == "a");
	BOOST_TEST(path_with(6) == "a");
	BOOST_CHECK_THROW(path_with(8), CorruptError);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace units
