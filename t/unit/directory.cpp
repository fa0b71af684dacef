// Names of a directory, at once and in parts.
#include "libdig/os/directory.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "libdig/base/error.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

using Texts = std::vector<std::string>;

void make_file(const std::string &path) { std::ofstream(path) << "content"; }

// "a-b" stands between "a" and what lies below a directory "a/".
Texts make_names(const std::string &top)
{
	Texts keys;
	for (int i = 0; i < 200; i++) {
		const std::string name = "n" + std::to_string(i * 7919 % 1000);
		if (i % 3 == 0) {
			std::filesystem::create_directory(top + "/" + name);
			make_file(top + "/" + name + "-b");
			keys.push_back(name + "/");
			keys.push_back(name + "-b");
		} else {
			make_file(top + "/" + name);
			keys.push_back(name);
		}
	}
	std::sort(keys.begin(), keys.end());
	return keys;
}

Texts keys_of(const DirectoryList &list)
{
	Texts keys;
	for (std::size_t i = 0; i < list.size(); i++)
		keys.push_back(list.key(i));
	return keys;
}

// What a name costs, as the header says.
std::size_t cost_of(const Texts &keys)
{
	std::size_t cost = 0;
	for (const std::string &key : keys)
		cost += key.ends_with('/') ? key.size() - 1 + 424 : key.size() + 24;
	return cost;
}

} // namespace

BOOST_AUTO_TEST_SUITE(directory)

BOOST_AUTO_TEST_CASE(names_are_sorted_as_the_paths_below_them)
{
	Scratch scratch;
	const Texts expected = make_names(scratch.path);
	DirectoryList list = read_directory(open_directory(scratch.path));
	list.sort();
	BOOST_TEST(keys_of(list) == expected, boost::test_tools::per_element());
	BOOST_TEST(names_in(scratch.path).size() == expected.size());
}

BOOST_AUTO_TEST_CASE(parts_of_any_size_are_all_names_once_and_in_order)
{
	Scratch scratch;
	const Texts expected = make_names(scratch.path);
	const File top = open_directory(scratch.path);
	for (const std::size_t most : {1, 100, 500, 2000, 1000000}) {
		Texts found;
		DirectoryPart part;
		do {
			part = read_directory_part(top, found.empty() ? "" : found.back(), most);
			const Texts keys = keys_of(part.items);
			BOOST_REQUIRE(!keys.empty());
			// One name at least, and no more than one that goes beyond.
			BOOST_TEST(cost_of(Texts(keys.begin(), keys.end() - 1)) <= most);
			found.insert(found.end(), keys.begin(), keys.end());
		} while (part.has_more);
		BOOST_TEST(found == expected, boost::test_tools::per_element());
	}
}

BOOST_AUTO_TEST_CASE(each_kind_is_told)
{
	Scratch scratch;
	const std::string &top = scratch.path;
	make_file(top + "/a");
	std::filesystem::create_directory(top + "/b");
	std::filesystem::create_symlink("a", top + "/c");
	BOOST_REQUIRE(::mkfifo((top + "/d").c_str(), 0600) == 0);
	const DirectoryPart part = read_directory_part(open_directory(top), "", 10000);
	BOOST_REQUIRE(part.items.size() == 4U);
	BOOST_TEST(!part.has_more);
	const FileType expected[] = {
		FileType::regular, FileType::directory, FileType::symlink, FileType::fifo};
	for (std::size_t i = 0; i < 4; i++)
		BOOST_TEST((part.items.type(i) == expected[i]));
}

BOOST_AUTO_TEST_CASE(only_a_directory_without_names_is_empty)
{
	Scratch scratch;
	BOOST_TEST(is_empty_directory(open_directory(scratch.path)));
	make_file(scratch.path + "/file");
	BOOST_TEST(!is_empty_directory(open_directory(scratch.path)));
}

BOOST_AUTO_TEST_CASE(a_file_has_no_names)
{
	Scratch scratch;
	make_file(scratch.path + "/file");
	const File file = File::open(scratch.path + "/file");
	BOOST_CHECK_THROW(read_directory(file), SystemError);
	BOOST_CHECK_THROW(is_empty_directory(file), SystemError);
	BOOST_CHECK_THROW(read_directory_part(file, "", 100), SystemError);
	BOOST_CHECK_THROW(open_directory(file.name()), SystemError);
	BOOST_CHECK_THROW(open_directory(scratch.path + "/absent"), SystemError);
}

BOOST_AUTO_TEST_SUITE_END()
