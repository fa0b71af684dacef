#include "libdig/worktree/tree_listing.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

// Three levels of nine directories with a file each, some with more; enough for threads to start.
Texts make_tree(const std::string &top)
{
	Texts all;
	const std::function<void(std::string, int)> fill = [&](std::string path, int depth) {
		for (int i = 0; i < 9; i++) {
			const std::string directory = path + "d" + std::to_string(i);
			fs::create_directory(top + "/" + directory);
			all.push_back(directory + "/");
			if (depth > 0)
				fill(directory + "/", depth - 1);
			std::ofstream(top + "/" + directory + "/file") << directory;
			all.push_back(directory + "/file " + std::to_string(directory.size()));
		}
	};
	fill("", 2);
	return all;
}

struct Walker {
	TreeListing tree;
	Texts found;
	std::function<bool(const std::string &)> drops = [](const std::string &) { return false; };

	void walk(TreeListing::Listing listing, const std::string &path)
	{
		for (std::size_t i = 0; i < listing.items.size(); i++) {
			const std::string at = path + std::string(listing.items.name(i));
			if (!listing.below[i]) {
				BOOST_REQUIRE((listing.looked[i].state == TreeListing::Item::State::known));
				found.push_back(at + " " + std::to_string(listing.looked[i].stat.size));
			} else if (drops(at)) {
				tree.drop(listing.below[i]);
			} else {
				found.push_back(at + "/");
				walk(tree.take(listing.below[i]), at + "/");
			}
		}
	}
};

} // namespace

BOOST_AUTO_TEST_SUITE(tree_listing)

BOOST_AUTO_TEST_CASE(a_tree_is_listed_in_the_order_of_a_walk)
{
	const Scratch scratch;
	const Texts expected = make_tree(scratch.path);
	for (int round = 0; round < 20; round++) {
		Walker walker;
		walker.walk(walker.tree.list(open_directory(scratch.path)), "");
		BOOST_TEST(walker.found == expected, boost::test_tools::per_element());
	}
}

BOOST_AUTO_TEST_CASE(what_is_dropped_is_in_nobodys_way)
{
	const Scratch scratch;
	Texts expected;
	const auto drops = [](const std::string &path) { return path.ends_with("3") || path == "d7/d8"; };
	for (const std::string &text : make_tree(scratch.path)) {
		bool is_dropped = false;
		for (std::size_t end = text.find('/'); end != text.npos; end = text.find('/', end + 1))
			is_dropped = is_dropped || drops(text.substr(0, end));
		if (!is_dropped)
			expected.push_back(text);
	}
	for (int round = 0; round < 20; round++) {
		Walker walker;
		walker.drops = drops;
		walker.walk(walker.tree.list(open_directory(scratch.path)), "");
		BOOST_TEST(walker.found == expected, boost::test_tools::per_element());
	}
}

BOOST_AUTO_TEST_CASE(a_walk_may_end_anywhere)
{
	const Scratch scratch;
	make_tree(scratch.path);
	for (std::size_t most : {1, 100, 300, 600}) {
		Walker walker;
		walker.drops = [&](const std::string &) {
			if (walker.found.size() >= most)
				throw Error("enough");
			return false;
		};
		BOOST_CHECK_THROW(walker.walk(walker.tree.list(open_directory(scratch.path)), ""), Error);
	}
}

BOOST_AUTO_TEST_CASE(what_went_meanwhile_is_told_when_it_is_taken)
{
	const Scratch scratch;
	fs::create_directories(scratch.path + "/a");
	fs::create_directories(scratch.path + "/b");
	TreeListing tree;
	TreeListing::Listing top = tree.list(open_directory(scratch.path));
	fs::remove(scratch.path + "/a");
	BOOST_CHECK_THROW(tree.take(top.below[0]), SystemError);
	BOOST_TEST(tree.take(top.below[1]).items.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
