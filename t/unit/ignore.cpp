// Known answers for rules, and what a walker relies on.  The comparison with git is t2300.
#include "libdig/worktree/ignore.h"

#include <map>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

IgnoreFile file_of(std::string_view content, std::string_view directory = "")
{
	return IgnoreFile(".digignore", directory, bytes_of(content));
}

// Whether a file of this one rule matches.
bool matches(std::string_view rule, std::string_view path, bool is_directory = false)
{
	return file_of(rule).match(path, is_directory).has_value();
}

std::string pattern_in(std::string_view content, std::string_view path)
{
	const IgnoreFile file = file_of(content);
	const std::optional<IgnoreMatch> found = file.match(path, false);
	return found ? std::to_string(found->line) + ':' + std::string(found->pattern) : "none";
}

// Work trees made of ignore files only.
class Tree {
public:
	explicit Tree(std::map<std::string, std::string> files) : files_(std::move(files)) {}

	IgnoreLookup lookup()
	{
		return IgnoreLookup([this](const std::string &directory) { return read(directory); });
	}
	std::vector<std::string> read_directories; // in the order asked for

private:
	std::optional<Buffer> read(const std::string &directory)
	{
		read_directories.push_back(directory);
		const auto found = files_.find(directory);
		if (found == files_.end())
			return std::nullopt;
		const Bytes content = bytes_of(found->second);
		return Buffer(content.begin(), content.end());
	}
	std::map<std::string, std::string> files_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(ignore)

BOOST_AUTO_TEST_CASE(a_plain_name_matches_at_any_depth)
{
	BOOST_TEST(matches("core", "core"));
	BOOST_TEST(matches("core", "a/b/core", true));
	BOOST_TEST(!matches("core", "score"));
	BOOST_TEST(!matches("core", "core/a"));
}

BOOST_AUTO_TEST_CASE(a_slash_ties_a_pattern_to_its_directory)
{
	BOOST_TEST(matches("/a", "a"));
	BOOST_TEST(!matches("/a", "b/a"));
	BOOST_TEST(matches("a/b", "a/b"));
	BOOST_TEST(!matches("a/b", "c/a/b"));
	BOOST_TEST(matches("a/*.c", "a/x.c"));
	BOOST_TEST(!matches("a/*.c", "a/b/x.c"));
	BOOST_TEST(file_of("/x/y", "a/b").match("a/b/x/y", false).has_value());
	BOOST_TEST(!file_of("/x/y", "a/b").match("a/bx/x/y", false).has_value());
	BOOST_TEST(!file_of("*", "a/b").match("a/b", true).has_value());
}

BOOST_AUTO_TEST_CASE(a_slash_at_the_end_wants_a_directory)
{
	BOOST_TEST(matches("a/", "a", true));
	BOOST_TEST(matches("a/", "b/a", true));
	BOOST_TEST(!matches("a/", "a", false));
	BOOST_TEST(!matches("/", "a", true));
}

BOOST_AUTO_TEST_CASE(one_star_stays_within_a_component)
{
	BOOST_TEST(matches("*.o", "a/b.o"));
	BOOST_TEST(matches("a*b", "ab"));
	BOOST_TEST(matches("*a*b*", "xaxbx"));
	BOOST_TEST(!matches("/a*b", "a/b"));
	BOOST_TEST(!matches("/*/b", "a/x/b"));
	BOOST_TEST(!matches("x?y", "xy"));
}

BOOST_AUTO_TEST_CASE(two_stars_that_fill_a_component_cross_slashes)
{
	for (const char *path : {"foo", "a/foo", "a/b/foo"})
		BOOST_TEST(matches("**/foo", path));
	for (const char *path : {"a/b", "a/x/b", "a/x/y/b"})
		BOOST_TEST(matches("a/**/b", path));
	BOOST_TEST(matches("abc/**", "abc/x/y"));
	BOOST_TEST(!matches("abc/**", "abc", true));
	BOOST_TEST(!matches("x/a**b", "x/a/b"));
	BOOST_TEST(matches("x/a**b", "x/acb"));
	BOOST_TEST(matches("a/**/b/**/c", "a/b/x/b/y/c"));
	// Behind a name they are one star.
	BOOST_TEST(matches("a**/b", "ax/b"));
	BOOST_TEST(!matches("a**/b", "ax/y/b"));
	BOOST_TEST(!matches("a**/b", "a/y/b"));
	BOOST_TEST(!matches("x/a**", "x/ab/c"));
}

BOOST_AUTO_TEST_CASE(brackets_hold_ranges_classes_and_escapes)
{
	BOOST_TEST(matches("[a-c]", "b"));
	BOOST_TEST(!matches("[!a-c]", "b"));
	BOOST_TEST(matches("[^a-c]", "d"));
	BOOST_TEST(matches("[]a]", "]"));
	BOOST_TEST(matches("[a-]", "-"));
	BOOST_TEST(matches("[\\]x]", "]"));
	BOOST_TEST(matches("[[:digit:]_]", "7"));
	BOOST_TEST(matches("[[:digit:]_]", "_"));
	BOOST_TEST(!matches("[[:space:]]", "\v"));
	BOOST_TEST(!matches("a[!x]b", "a/b"));
	BOOST_TEST(!matches("x/a[!x]b", "x/a/b"));
}

BOOST_AUTO_TEST_CASE(a_malformed_pattern_matches_nothing)
{
	BOOST_TEST(!matches("[a", "[a"));
	BOOST_TEST(!matches("[[:nothing:]]", "n"));
	BOOST_TEST(!matches("a\\", "a\\"));
	BOOST_TEST(!matches("[a-", "a"));
}

BOOST_AUTO_TEST_CASE(a_backslash_takes_the_meaning_away)
{
	BOOST_TEST(matches("\\!a", "!a"));
	BOOST_TEST(matches("\\#a", "#a"));
	BOOST_TEST(matches("\\*", "*"));
	BOOST_TEST(!matches("\\*", "a"));
	BOOST_TEST(matches("a\\[b", "a[b"));
}

BOOST_AUTO_TEST_CASE(blanks_at_the_end_do_not_count_unless_escaped)
{
	BOOST_TEST(matches("a  ", "a"));
	BOOST_TEST(matches("a\\ ", "a "));
	BOOST_TEST(matches("a \\  ", "a  "));
	BOOST_TEST(matches("a\t", "a\t"));
	BOOST_TEST(matches(" a", " a"));
}

BOOST_AUTO_TEST_CASE(line_ends_and_a_byte_order_mark_are_no_part_of_a_pattern)
{
	BOOST_TEST(pattern_in("\xef\xbb\xbf" "a\r\n\r\nb\r\n", "a") == "1:a");
	BOOST_TEST(pattern_in("\xef\xbb\xbf" "a\r\n\r\nb\r\n", "b") == "3:b");
	BOOST_TEST(pattern_in("x\nb\r", "b") == "2:b");
	BOOST_TEST(pattern_in("a\r \n", "a\r") == "1:a\r");
	BOOST_TEST(pattern_in(std::string_view("a\0b\n", 4), "a") == "1:a");
}

BOOST_AUTO_TEST_CASE(comments_and_empty_lines_are_counted_but_mean_nothing)
{
	BOOST_TEST(pattern_in("# a\n\n  \na\n", "a") == "4:a");
	BOOST_TEST(pattern_in("# a\n", "# a") == "none");
	BOOST_TEST(file_of("#x\n\n!\n/\n").is_empty());
	BOOST_TEST(file_of("").is_empty());
}

BOOST_AUTO_TEST_CASE(the_last_rule_that_matches_decides)
{
	BOOST_TEST(pattern_in("*.o\n!a.o\n", "a.o") == "2:!a.o");
	BOOST_TEST(pattern_in("!a.o\n*.o\n", "a.o") == "2:*.o");
	BOOST_TEST(pattern_in("a\na/\n", "a") == "1:a");
	BOOST_TEST(pattern_in("a\n/a\n?\na/\n", "a") == "3:?");
	BOOST_TEST(file_of("*\n!a\n").match("a", false)->is_negated);
	BOOST_TEST(pattern_in("!!a\n", "!a") == "1:!!a");
}

BOOST_AUTO_TEST_CASE(a_deeper_file_outweighs_those_above_it)
{
	IgnoreStack stack(std::make_shared<const IgnoreFile>("list", "", bytes_of("*.log")));
	stack.push("", bytes_of("*.o\n!x.log"));
	stack.push("a");
	stack.push("a/b", bytes_of("!keep.o"));
	BOOST_TEST(!stack.ignores("a/b/keep.o", false));
	BOOST_TEST(stack.match("a/b/keep.o", false)->file == "a/b/.digignore");
	BOOST_TEST(stack.ignores("a/b/c.o", false));
	BOOST_TEST(stack.match("a/b/y.log", false)->file == "list");
	BOOST_TEST(!stack.ignores("a/b/x.log", false));
	IgnoreStack copy = stack;
	stack.pop();
	BOOST_TEST(stack.ignores("a/keep.o", false));
	BOOST_TEST(!copy.ignores("a/b/keep.o", false));
	stack.pop();
	stack.pop();
	BOOST_TEST(stack.depth() == 0U);
	BOOST_TEST(!stack.ignores("c.o", false));
	BOOST_TEST(stack.ignores("y.log", false));
}

BOOST_AUTO_TEST_CASE(nothing_below_an_ignored_directory_is_taken_back)
{
	Tree tree({{"", "build/\n!build/a\n"}, {"build", "!a"}});
	IgnoreLookup lookup = tree.lookup();
	BOOST_TEST(lookup.match("build/a", false)->pattern == "build/");
	BOOST_TEST(lookup.match("build/x/y/z", false)->pattern == "build/");
	BOOST_TEST(!lookup.match("built", false));
	BOOST_TEST(!lookup.match("build", false)); // as a file
	BOOST_TEST(!lookup.match("", true));
	BOOST_TEST(tree.read_directories == std::vector<std::string>{""});
}

BOOST_AUTO_TEST_CASE(a_look_up_reads_what_the_next_path_does_not_share)
{
	Tree tree({{"a", "!x"}, {"", "x"}, {"b/c", "y"}});
	IgnoreLookup lookup = tree.lookup();
	BOOST_TEST(lookup.match("a/b/x", false)->is_negated);
	BOOST_TEST(lookup.match("a/b/x", false)->file == "a/.digignore");
	BOOST_TEST(lookup.match("a/x", false)->is_negated);
	BOOST_TEST(!lookup.match("ab/y", false));
	BOOST_TEST(!lookup.match("b/c/x", false)->is_negated);
	BOOST_TEST(lookup.match("b/c/d/y", false)->file == "b/c/.digignore");
	const std::vector<std::string> expected = {"", "a", "a/b", "ab", "b", "b/c", "b/c/d"};
	BOOST_TEST(tree.read_directories == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_pattern_takes_exponential_time)
{
	std::string stars, components, path;
	for (int i = 0; i < 60; ++i) {
		stars += "*a";
		components += "**/*a*/";
		path += "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/";
	}
	// Otherwise none of these would ever end.
	BOOST_TEST(!matches(stars + "b", std::string(250, 'a')));
	BOOST_TEST(!matches("/" + stars + "b", std::string(250, 'a')));
	BOOST_TEST(!matches(components + "b", path + "a"));
	BOOST_TEST(matches(components + "b", path + "b"));
}

BOOST_AUTO_TEST_SUITE_END()
