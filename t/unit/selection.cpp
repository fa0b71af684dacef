#include "libdig/verbs/selection.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

bool is_conflict(const std::vector<std::pair<std::string, EntryKind>> &entries)
{
	ConflictCheck check;
	for (const auto &[path, kind] : entries) {
		Entry entry;
		entry.path = path;
		entry.kind = kind;
		try {
			check.add(entry);
		} catch (const CorruptError &) {
			return true;
		}
	}
	return false;
}

constexpr EntryKind a_file = EntryKind::file, a_link = EntryKind::symlink, an_empty = EntryKind::empty_directory;

} // namespace

BOOST_AUTO_TEST_SUITE(selection)

BOOST_AUTO_TEST_CASE(nothing_lies_below_a_file_or_a_symlink)
{
	BOOST_TEST(is_conflict({{"a", a_file}, {"a/b", a_file}}));
	BOOST_TEST(is_conflict({{"a", a_link}, {"a/b", an_empty}}));
	BOOST_TEST(is_conflict({{"d/a", a_file}, {"d/a/b/c", a_file}}));
}

BOOST_AUTO_TEST_CASE(other_paths_between_the_two_do_not_hide_it)
{
	BOOST_TEST(is_conflict({{"a", a_file}, {"a-b", a_file}, {"a-b.c", a_file}, {"a/b", a_file}}));
	BOOST_TEST(is_conflict({{"a", a_file}, {"a-b/c", a_file}, {"a/b", a_file}}));
}

BOOST_AUTO_TEST_CASE(neighbours_and_directories_are_no_conflict)
{
	BOOST_TEST(!is_conflict({{"a", a_file}, {"a-b", a_file}, {"ab", a_file}, {"b/a", a_file}, {"b/ab", a_file}}));
	BOOST_TEST(!is_conflict({{"a/b", a_file}, {"a/b.c", a_file}, {"a/c/d", a_link}}));
	BOOST_TEST(!is_conflict({{"a", an_empty}, {"a/b", a_file}}));
}

BOOST_AUTO_TEST_SUITE_END()
