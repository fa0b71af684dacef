#include "libdig/verbs/directory_stack.h"

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "libdig/os/directory.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;
using Missing = DirectoryStack::Missing;

DirectoryPointer root_of(const Scratch &scratch)
{
	const auto root = std::make_shared<Directory>();
	root->file = open_directory(scratch.path);
	return root;
}

std::string levels(const std::string &name, int count)
{
	std::string path = name;
	while (--count > 0)
		path += "/" + name;
	return path;
}

std::size_t open_files()
{
	std::size_t count = 0;
	for ([[maybe_unused]] const fs::directory_entry &each : fs::directory_iterator("/proc/self/fd"))
		count++;
	return count;
}

std::uint64_t inode_of(const DirectoryPointer &directory) { return directory->file.stat().inode; }

} // namespace

BOOST_AUTO_TEST_SUITE(directory_stack)

BOOST_AUTO_TEST_CASE(missing_directories_are_made_or_only_looked_at)
{
	const Scratch scratch;
	DirectoryStack looking(root_of(scratch), Missing::look);
	BOOST_TEST(!looking.enter("a/b"));
	BOOST_TEST(!fs::exists(scratch.path + "/a"));

	DirectoryStack making(root_of(scratch), Missing::make);
	BOOST_TEST(making.enter("a/b").get());
	BOOST_TEST(making.enter("a/bc").get());
	BOOST_TEST(making.enter("ab").get());
	for (const char *path : {"/a/b", "/a/bc", "/ab"})
		BOOST_TEST(fs::is_directory(scratch.path + path));
	BOOST_TEST(DirectoryStack(nullptr, Missing::look).enter("a").get() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_empty_path_is_the_root)
{
	const Scratch scratch;
	const DirectoryPointer root = root_of(scratch);
	DirectoryStack stack(root, Missing::make);
	stack.enter("a/b");
	BOOST_TEST(stack.enter("").get() == root.get());
}

BOOST_AUTO_TEST_CASE(of_a_deep_path_few_directories_stay_open)
{
	const Scratch scratch;
	const std::size_t before = open_files();
	DirectoryStack stack(root_of(scratch), Missing::make);
	const std::string deep = levels("d", 1000);
	stack.enter(deep);
	// Four for each doubling, and those next to the current one.
	BOOST_TEST(open_files() <= before + 45);
}

BOOST_AUTO_TEST_CASE(a_directory_that_was_closed_is_the_same_when_entered_again)
{
	const Scratch scratch;
	DirectoryStack stack(root_of(scratch), Missing::make);
	const std::string base = levels("d", 500);
	const std::uint64_t inode = inode_of(stack.enter(base));
	for (const char *name : {"/a/", "/b/", "/c/"}) {
		stack.enter(base + name + levels("e", 400));
		BOOST_TEST(inode_of(stack.enter(base)) == inode);
	}
	// Up level by level.
	stack.enter(base + "/d/" + levels("e", 400));
	for (int count = 400; count > 0; count--)
		BOOST_TEST(stack.enter(base + "/d/" + levels("e", count)).get());
	BOOST_TEST(inode_of(stack.enter(base)) == inode);
}

BOOST_AUTO_TEST_CASE(what_is_no_directory_stands_in_the_way)
{
	const Scratch scratch;
	std::ofstream(scratch.path + "/file") << "x";
	fs::create_directory_symlink("/tmp", scratch.path + "/link");
	for (const Missing missing : {Missing::look, Missing::make}) {
		DirectoryStack stack(root_of(scratch), missing);
		BOOST_CHECK_THROW(stack.enter("file/a"), Error);
		BOOST_CHECK_THROW(stack.enter("link/a"), Error);
	}
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_is_told_of_once)
{
	const Scratch scratch;
	std::vector<std::string> told;
	DirectoryStack stack(root_of(scratch), Missing::make,
		[&](const std::string &path, const SystemError &) { told.push_back(path); });
	const std::string long_name(300, 'x');
	BOOST_TEST(!stack.enter("a/" + long_name + "/b"));
	BOOST_TEST(!stack.enter("a/" + long_name + "/c"));
	BOOST_TEST(stack.enter("a/y").get());
	BOOST_TEST(told == std::vector<std::string>{"a/" + long_name}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_second_name_of_a_directory_is_found)
{
	const Scratch scratch;
	fs::create_directory(scratch.path + "/a");
	DirectoryStack stack(root_of(scratch), Missing::look);
	const FileStat stat = stack.enter("a")->file.stat();
	stack.enter("");
	BOOST_TEST(!stack.is_new(stat));
}

BOOST_AUTO_TEST_SUITE_END()
