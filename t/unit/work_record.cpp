#include "libdig/worktree/work_record.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(work_record)

BOOST_AUTO_TEST_CASE(every_kind_of_record_comes_back)
{
	using namespace std::string_literals;
	for (const std::string &text : {"S\t."s, "F 644 12 -5 6 7 8\ta\tb"s, "L 777 3 1 2 3 4\tx"s, "D 755 1 2 3 4\td"s,
			"P fifo\tp"s, "I\tignored"s, "X 13\td/"s, "M\tmissing"s, "E 7"s, "A"s})
		BOOST_CHECK_EQUAL(to_text(parse_work_record(text)), text);
}

BOOST_AUTO_TEST_CASE(a_record_that_is_used_again_has_nothing_of_before)
{
	const char *const texts[] = {"F 644 12 -5 6 7 8\ta", "P fifo\tp", "X 13\td/", "D 755 1 2 3 4\td", "E 7", "A"};
	WorkRecord record;
	for (const char *before : texts)
		for (const char *text : texts) {
			parse_work_record(before, record);
			parse_work_record(text, record);
			const WorkRecord fresh = parse_work_record(text);
			BOOST_CHECK_EQUAL(to_text(record), text);
			BOOST_CHECK_EQUAL(record.kind, fresh.kind);
			BOOST_CHECK_EQUAL(record.path, fresh.path);
			BOOST_CHECK_EQUAL(record.error, fresh.error);
			BOOST_CHECK_EQUAL(record.count, fresh.count);
			BOOST_CHECK(is_same_content(record.stat, fresh.stat));
		}
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_record_is_refused)
{
	for (const char *text : {"", "Z\ta", "F 644 12 1 2 3\ta",
		     "F 644 12 1 2 3 4", "F 644 12 1 2 3 4 5\ta", "D 755 1 2 3 4 5\ta",
			"F 648 12 1 2 3 4\ta", "P\ta", "X\ta", "X 13 4\ta", "E", "E 7\ta", "E x", "A\t", "A 1", "S", "I 3\ta"})
		BOOST_CHECK_THROW(parse_work_record(text), Error);
}

BOOST_AUTO_TEST_CASE(what_would_become_an_entry_needs_a_path_that_can_be_stored)
{
	for (const char *path : {"", "a//b", "../a", "/a", ".dig", "d/.DIG/a"}) {
		BOOST_CHECK_THROW(parse_work_record(std::string("F 644 12 1 2 3 4\t") + path), Error);
		BOOST_CHECK_EQUAL(parse_work_record(std::string("X 22\t") + path).path, path);
	}
}

BOOST_AUTO_TEST_CASE(stat_says_what_the_record_is)
{
	FileStat stat;
	stat.size = 4096;
	const auto record = [&](FileType type) {
		stat.type = type;
		return work_record_of("a", stat);
	};
	BOOST_CHECK(record(FileType::regular).entry_kind() == EntryKind::file);
	BOOST_CHECK_EQUAL(record(FileType::regular).stat.size, 4096);
	BOOST_CHECK(record(FileType::symlink).entry_kind() == EntryKind::symlink);
	BOOST_CHECK(record(FileType::directory).entry_kind() == EntryKind::empty_directory);
	BOOST_CHECK_EQUAL(record(FileType::directory).stat.size, 0);
	BOOST_CHECK_EQUAL(to_text(record(FileType::fifo)), "P fifo\ta");
	BOOST_CHECK_EQUAL(to_text(record(FileType::socket)), "P socket\ta");
	BOOST_CHECK(!record(FileType::socket).is_present());
}

BOOST_AUTO_TEST_SUITE_END()
