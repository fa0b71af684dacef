// Records of changed paths: what is written, what is refused, which path is at or below which.
#include "libdig/store/changed_paths.h"

#include <algorithm>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/store/record_log.h"
#include "t/unit/scratch.h"

using namespace dig;

static const Digest one = digest_of(bytes_of("one")), two = digest_of(bytes_of("two"));
static constexpr RecordLog records("DIGPATHS", ChangedPaths::least_bytes, ChangedPaths::most_bytes);

static bool is_refused(const Buffer &record)
{
	try {
		ChangedPaths::decode(record, "record");
		return false;
	} catch (const CorruptError &) {
		return true;
	}
}

BOOST_AUTO_TEST_SUITE(changed_paths)

BOOST_AUTO_TEST_CASE(a_record_is_as_the_page_says)
{
	const Buffer record = ChangedPaths::encode(one, two, {"a", "b/c"});
	BOOST_TEST(record.size() == 64U + 3 + 5);
	BOOST_TEST(std::ranges::equal(Bytes(record).first(32), Bytes(one)));
	BOOST_TEST(std::ranges::equal(Bytes(record).subspan(32, 32), Bytes(two)));
	BOOST_TEST(text_of(Bytes(record).subspan(64)) == std::string_view("\1\0a\3\0b/c", 8));
	const ChangedPaths changed = ChangedPaths::decode(record, "record");
	BOOST_TEST((changed.before() == one && changed.after() == two && changed.has_paths()));
}

BOOST_AUTO_TEST_CASE(a_path_has_what_is_below_it_and_not_what_begins_like_it)
{
	const Buffer record = ChangedPaths::encode(one, two, {"a-b", "a/b/c", "d"});
	const ChangedPaths changed = ChangedPaths::decode(record, "record");
	for (const char *path : {"", "a", "a-b", "a/b", "a/b/c", "d"})
		BOOST_TEST(changed.has(path), path);
	for (const char *path : {"a-", "a/", "a/b/", "a/b/c/d", "a/bc", "b", "d/e", "dd"})
		BOOST_TEST(!changed.has(path), path);
}

BOOST_AUTO_TEST_CASE(more_paths_than_a_record_has_room_for_are_left_out)
{
	const std::size_t room = ChangedPaths::most_bytes - 64 - 2;
	const std::string longest(room, 'x');
	BOOST_TEST(ChangedPaths::encode(one, two, {longest}).size() == ChangedPaths::most_bytes);
	BOOST_TEST(ChangedPaths::encode(one, two, {longest + 'x'}).size() == 64U);
	BOOST_TEST(ChangedPaths::encode(one, two, {"a", longest}).size() == 64U);
	const Buffer none = ChangedPaths::encode(one, two, {"a", longest});
	BOOST_TEST(!ChangedPaths::decode(none, "record").has_paths());
	BOOST_TEST(!ChangedPaths::decode(none, "record").has(""));
}

BOOST_AUTO_TEST_CASE(what_is_no_record_is_refused)
{
	const Buffer record = ChangedPaths::encode(one, two, {"a", "b/c"});
	for (std::size_t size = 0; size < record.size(); size++)
		BOOST_TEST(is_refused(Buffer(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size))) ==
			(size != 64 && size != 67), size);
	BOOST_TEST(is_refused(ChangedPaths::encode(one, two, {"b", "a"})));
	BOOST_TEST(is_refused(ChangedPaths::encode(one, two, {"a", "a"})));
	BOOST_TEST(is_refused(ChangedPaths::encode(one, two, {""})));
}

// What is noted is found by both trees, in the file of the generation.
BOOST_AUTO_TEST_CASE(what_is_noted_is_found_by_both_trees)
{
	const Scratch scratch;
	StorePaths paths;
	paths.store = scratch.path;
	std::filesystem::create_directory(scratch.path + "/changed-paths");
	const std::string name = scratch.path + "/changed-paths/1";
	{
		const File file = File::open_with(name, O_RDWR | O_CREAT);
		const std::uint64_t end = records.append(file, 0, ChangedPaths::encode(one, two, {"a/b"}));
		records.append(file, end, ChangedPaths::encode(two, one, {}));
	}
	NotedChanges noted(paths, {"a", "b"});
	const std::vector<bool> *const found = noted.find(1025, one, two);
	BOOST_REQUIRE(found);
	BOOST_TEST((*found == std::vector<bool>{true, false}));
	BOOST_TEST(noted.find(2048, one, two));
	for (const std::uint64_t generation : {1, 1024, 2049})
		BOOST_TEST(!noted.find(generation, one, two));
	BOOST_TEST(!noted.find(1025, two, one)); // too many
	BOOST_TEST(!noted.find(1025, one, one));

	const auto complaints = [&](std::uint64_t generations) {
		std::size_t count = 0;
		check_changed_paths(paths, generations, [&](const std::string &) { count++; });
		return count;
	};
	BOOST_TEST(complaints(1025) == 0U);
	const std::size_t size = std::filesystem::file_size(name);
	for (std::size_t at = 0; at < size; at++) {
		std::fstream file(name, std::ios::binary | std::ios::in | std::ios::out);
		const auto flip = [&] {
			file.seekg(static_cast<std::streamoff>(at));
			const char byte = static_cast<char>(file.get() ^ 1);
			file.seekp(static_cast<std::streamoff>(at));
			file.put(byte).flush();
		};
		flip();
		BOOST_TEST(complaints(1025) == 1U, at);
		NotedChanges damaged(paths, {"a", "b"});
		const std::vector<bool> *const still = damaged.find(1025, one, two);
		BOOST_TEST((!still || *still == std::vector<bool>{true, false}), at);
		flip();
	}
	BOOST_TEST(complaints(1024) == 0U);
	std::filesystem::resize_file(name, size - 1);
	BOOST_TEST(complaints(1025) == 1U);
	BOOST_TEST(NotedChanges(paths, {"a"}).find(1025, one, two));
	std::filesystem::resize_file(name, 0);
	BOOST_TEST(complaints(1025) == 1U);
	BOOST_TEST(!NotedChanges(paths, {"a"}).find(1025, one, two));
}

BOOST_AUTO_TEST_CASE(a_writer_cuts_off_what_is_torn)
{
	const Scratch scratch;
	const File file = File::open_with(scratch.path + "/log", O_RDWR | O_CREAT);
	const auto count = [&] {
		std::size_t number = 0;
		records.each(file, [&](Bytes) { number++; });
		return number;
	};
	const Buffer record = ChangedPaths::encode(one, two, {"a"});
	const std::uint64_t first = records.append(file, 0, record), second = records.append(file, first, record);
	BOOST_TEST(count() == 2U);
	file.truncate(second - 1);
	BOOST_TEST(count() == 1U);
	BOOST_TEST(records.recover(file, [](Bytes) {}) == first);
	BOOST_TEST(file.size() == first);
	// A power cut that has kept the size and lost the bytes.
	file.truncate(first + 4096);
	BOOST_TEST(count() == 1U);
	BOOST_TEST(records.recover(file, [](Bytes) {}) == first);
	BOOST_TEST(file.size() == first);
	file.write_at(Bytes(record).first(1), 0);
	BOOST_TEST(records.recover(file, [](Bytes) {}) == 0U);
	BOOST_TEST(file.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
