// The Merkle search tree: any road of edits leads to the tree that a rebuild gives.
#include "libdig/format/search_tree.h"

#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/path.h"
#include "t/unit/trees.h"

using namespace dig;

namespace {

// A path from a small alphabet of components, so that paths share prefixes.
std::string random_path(std::mt19937 &random, unsigned spread)
{
	std::string path;
	for (unsigned depth = 1 + random() % 3; depth > 0; depth--) {
		if (!path.empty())
			path += '/';
		path += "n" + std::to_string(random() % spread);
		if (random() % 4 == 0)
			path += std::string(random() % 40, 'x');
	}
	return path;
}

std::map<std::string, std::optional<Entry>> random_changes(std::mt19937 &random,
	const Manifest &manifest, unsigned spread, unsigned most)
{
	std::map<std::string, std::optional<Entry>> changes;
	for (unsigned i = 1 + random() % most; i > 0; i--) {
		std::string path = random_path(random, spread);
		if (random() % 2 && !manifest.empty()) {
			const auto near = manifest.lower_bound(path);
			if (near != manifest.end())
				path = near->first;
		}
		if (random() % 5 < 2)
			changes[path] = std::nullopt;
		else
			changes[path] = entry_at(path, random());
	}
	// Now and then a whole range goes, as a directory would.
	if (random() % 4 == 0 && !manifest.empty()) {
		auto at = manifest.lower_bound(random_path(random, spread));
		for (unsigned i = random() % 2000; i > 0 && at != manifest.end(); i--, ++at)
			changes[at->first] = std::nullopt;
	}
	return changes;
}

void apply(Manifest &manifest, const std::map<std::string, std::optional<Entry>> &changes)
{
	for (const auto &[path, entry] : changes)
		if (entry)
			manifest[path] = *entry;
		else
			manifest.erase(path);
}

// Every change that diff_manifests tells, as text.
std::vector<std::string> told_difference(const Digest &before, const Digest &after, Nodes &nodes)
{
	std::vector<std::string> lines;
	diff_manifests(before, after, nodes.source(), [&](const Entry *a, const Entry *b) {
		lines.push_back((!a ? "+" : !b ? "-" : "*") + (a ? a->path : b->path));
	});
	return lines;
}

std::vector<std::string> true_difference(const Manifest &before, const Manifest &after)
{
	std::map<std::string, std::string> lines;
	for (const auto &[path, entry] : before) {
		const auto found = after.find(path);
		if (found == after.end())
			lines[path] = "-" + path;
		else if (!(found->second == entry))
			lines[path] = "*" + path;
	}
	for (const auto &[path, entry] : after)
		if (!before.count(path))
			lines[path] = "+" + path;
	std::vector<std::string> sorted;
	for (const auto &[path, line] : lines)
		sorted.push_back(line);
	return sorted;
}

// Walks the tree at root and requires it to hold exactly the manifest.
void require_content(const Digest &root, const Manifest &manifest, Nodes &nodes)
{
	TreeCursor at(TreeKind::manifest, root, nodes.source());
	auto expected = manifest.begin();
	for (at.settle(); !at.at_end(); at.settle()) {
		BOOST_REQUIRE((expected != manifest.end()));
		BOOST_REQUIRE((at.entry() == expected->second));
		at.skip();
		++expected;
	}
	BOOST_TEST((expected == manifest.end()));
}

void edit_at_random(unsigned seed, unsigned spread, unsigned most, int rounds)
{
	BOOST_TEST_CONTEXT("seed " << seed << ", spread " << spread << ", most " << most) {
		std::mt19937 random(seed);
		Nodes nodes;
		Manifest manifest;
		std::optional<Digest> root;
		for (int i = 0; i < rounds; i++) {
			const Manifest before = manifest;
			const auto changes = random_changes(random, manifest, spread, most);
			apply(manifest, changes);
			const NodeRef updated =
				update_manifest(root ? TreeRoot(*root) : empty_root(TreeKind::manifest),
					nodes.source(), changes_of(changes), nodes.sink());
			const NodeRef wanted = rebuilt(manifest, nodes);
			BOOST_REQUIRE(to_hex(updated.id) == to_hex(wanted.id));
			BOOST_REQUIRE(updated.leaves == manifest.size());
			BOOST_REQUIRE(updated.level == wanted.level);
			BOOST_REQUIRE(updated.bytes == wanted.bytes);
			const Digest old = root.value_or(empty_root(TreeKind::manifest));
			BOOST_REQUIRE((told_difference(old, updated.id, nodes) ==
				true_difference(before, manifest)));
			root = updated.id;
		}
		require_content(*root, manifest, nodes);
	}
}

} // namespace

BOOST_AUTO_TEST_SUITE(search_tree)

BOOST_AUTO_TEST_CASE(edits_in_any_order_lead_to_the_tree_of_a_rebuild)
{
	for (unsigned seed = 1; seed <= 6; seed++) {
		edit_at_random(seed, 4, 20, 60);
		edit_at_random(seed, 60, 200, 25);
		edit_at_random(seed, 2000, 3000, 6);
	}
}

BOOST_AUTO_TEST_CASE(growing_and_shrinking_by_one_leads_back)
{
	Nodes nodes;
	Manifest manifest;
	std::vector<Digest> roots{empty_root(TreeKind::manifest)};
	constexpr int most = 1500;
	for (int i = 0; i < most; i++) {
		const std::string path = "f" + std::to_string(100000 + i);
		const std::map<std::string, std::optional<Entry>> change{{path, entry_at(path, i)}};
		roots.push_back(
			update_manifest(roots.back(), nodes.source(), changes_of(change), nodes.sink()).id);
	}
	for (int i = most; i > 0; i--) {
		const std::string path = "f" + std::to_string(100000 + i - 1);
		const std::map<std::string, std::optional<Entry>> change{{path, std::nullopt}};
		const Digest shrunk =
			update_manifest(roots[i], nodes.source(), changes_of(change), nodes.sink()).id;
		BOOST_REQUIRE(to_hex(shrunk) == to_hex(roots[i - 1]));
	}
}

BOOST_AUTO_TEST_CASE(removing_what_is_not_there_changes_nothing)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 3000; i++) {
		const std::string path = std::to_string(i);
		manifest[path] = entry_at(path, i);
	}
	const NodeRef root = rebuilt(manifest, nodes);
	const std::map<std::string, std::optional<Entry>> changes{
		{"!", std::nullopt}, {"1500x", std::nullopt}, {"zzz", std::nullopt}};
	BOOST_TEST((update_manifest(root.id, nodes.source(), changes_of(changes), nodes.sink()).id == root.id));
	BOOST_TEST((update_manifest(root.id, nodes.source(), changes_of({}), nodes.sink()).id == root.id));
}

BOOST_AUTO_TEST_CASE(an_edit_reads_and_writes_a_path_of_nodes)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 50000; i++) {
		const std::string path = "d" + std::to_string(i % 300) + "/" + std::to_string(i);
		manifest[path] = entry_at(path, i);
	}
	const NodeRef root = rebuilt(manifest, nodes);
	for (const char *path : {"d0/0", "d150/25350", "d99/49899", "new", "zz"}) {
		nodes.reads = nodes.writes = 0;
		const std::map<std::string, std::optional<Entry>> change{{path, entry_at(path, 77)}};
		update_manifest(root.id, nodes.source(), changes_of(change), nodes.sink());
		BOOST_TEST(nodes.reads <= 16U);
		BOOST_TEST(nodes.writes <= 16U);
	}
}

BOOST_AUTO_TEST_CASE(a_difference_reads_no_equal_subtrees)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 50000; i++) {
		const std::string path = "d" + std::to_string(i % 300) + "/" + std::to_string(i);
		manifest[path] = entry_at(path, i);
	}
	const NodeRef before = rebuilt(manifest, nodes);
	manifest["d150/25350"].mode = 0755;
	manifest.erase("d7/7");
	const NodeRef after = rebuilt(manifest, nodes);
	nodes.reads = 0;
	const std::vector<std::string> expected{"*d150/25350", "-d7/7"};
	BOOST_TEST(told_difference(before.id, after.id, nodes) == expected, boost::test_tools::per_element());
	BOOST_TEST(nodes.reads <= 24U);
}

// One item of an inner node may be as large as the node's limit: two must fit all the same, or
// every level would be as long as the one below it.
BOOST_AUTO_TEST_CASE(the_longest_paths_do_not_make_it_endless)
{
	Nodes nodes;
	Manifest manifest;
	const auto long_path = [](int number, std::size_t size) {
		std::string path = std::to_string(1000 + number);
		while (path.size() + 251 < size)
			path += "/" + std::string(250, 'p');
		path += "/" + std::string(size - path.size() - 1, 'q');
		return path;
	};
	for (int i = 0; i < 40; i++) {
		const std::string path = long_path(i, max_path_size);
		BOOST_REQUIRE(path.size() == max_path_size);
		manifest[path] = entry_at(path, i);
	}
	for (int i = 40; i < 300; i++) {
		const std::string path = long_path(i, 5000 + 37 * (i % 100));
		manifest[path] = entry_at(path, i);
	}
	const NodeRef root = rebuilt(manifest, nodes);
	BOOST_TEST(root.level <= 10);
	BOOST_TEST(root.leaves == manifest.size());
	for (const auto &[id, stored] : nodes.stored)
		BOOST_REQUIRE(stored.size() <= max_stored_node_size);
	require_content(root.id, manifest, nodes);
	const std::string path = long_path(17, max_path_size);
	BOOST_TEST(find_entry(root.id, path, nodes.source()).has_value());
	manifest.erase(path);
	const std::map<std::string, std::optional<Entry>> change{{path, std::nullopt}};
	const NodeRef updated = update_manifest(root.id, nodes.source(), changes_of(change), nodes.sink());
	BOOST_TEST((updated.id == rebuilt(manifest, nodes).id));
}

BOOST_AUTO_TEST_CASE(a_path_is_found_if_it_is_there_and_only_then)
{
	Nodes nodes;
	Manifest manifest;
	std::mt19937 random(11);
	for (int i = 0; i < 5000; i++) {
		const std::string path = random_path(random, 500);
		manifest[path] = entry_at(path, i);
	}
	const Digest root = rebuilt(manifest, nodes).id;
	for (int i = 0; i < 3000; i++) {
		const std::string path = random_path(random, 500);
		const auto expected = manifest.find(path);
		const std::optional<Entry> found = find_entry(root, path, nodes.source());
		BOOST_REQUIRE(found.has_value() == (expected != manifest.end()));
		if (found)
			BOOST_REQUIRE((*found == expected->second));
	}
	BOOST_TEST(!find_entry(empty_root(TreeKind::manifest), "a", nodes.source()));
}

BOOST_AUTO_TEST_CASE(seeking_goes_on_from_where_it_is)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 20000; i += 2) {
		const std::string path = std::to_string(100000 + i);
		manifest[path] = entry_at(path, i);
	}
	TreeCursor at(TreeKind::manifest, rebuilt(manifest, nodes).id, nodes.source());
	std::mt19937 random(5);
	for (int number = 99990; number < 120020; number += 1 + static_cast<int>(random() % 60)) {
		const std::string path = std::to_string(number);
		at.seek(path);
		const auto expected = manifest.lower_bound(path);
		BOOST_REQUIRE(at.at_end() == (expected == manifest.end()));
		if (at.at_end())
			break;
		BOOST_REQUIRE(at.path() == expected->first);
		if (random() % 3 == 0) {
			at.skip();
			at.settle();
		}
	}
}

BOOST_AUTO_TEST_SUITE_END()
