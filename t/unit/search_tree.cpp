// The Merkle search tree: any road of edits leads to the tree that a rebuild gives.
#include "libdig/format/search_tree.h"

#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/base/path.h"

using namespace dig;

namespace {

using Manifest = std::map<std::string, Entry>;

// Where nodes go; what is read is counted.
struct Nodes {
	std::unordered_map<Digest, Buffer, DigestHash> stored;
	std::set<Digest> read;
	std::uint64_t reads = 0, writes = 0;

	NodeSink sink()
	{
		return [this](const Digest &id, Bytes bytes) {
			writes++;
			stored[id].assign(bytes.begin(), bytes.end());
		};
	}
	NodeSource source()
	{
		return [this](const Digest &id) {
			reads++;
			const auto found = stored.find(id);
			if (found == stored.end())
				throw CorruptError("node " + to_hex(id) + " is missing");
			return found->second;
		};
	}
};

Entry entry_at(const std::string &path, std::uint64_t number)
{
	Entry entry;
	entry.path = path;
	entry.mode = 0644;
	entry.size = number % 7 ? 1 + number % 1000000 : 0;
	if (entry.size) {
		entry.form = ContentForm::chunk;
		entry.content = digest_of(bytes_of(std::to_string(number)));
	}
	entry.mtime_ns = static_cast<std::int64_t>(number);
	return entry;
}

NodeRef rebuilt(const Manifest &manifest, Nodes &nodes)
{
	TreeBuilder builder(TreeKind::manifest, nodes.sink());
	for (const auto &[path, entry] : manifest)
		builder.append_entry(entry);
	return builder.finish();
}

ManifestChanges changes_of(const std::map<std::string, std::optional<Entry>> &changes)
{
	auto at = changes.begin();
	return [&changes, at]() mutable -> std::optional<ManifestChange> {
		if (at == changes.end())
			return {};
		ManifestChange change{at->first, at->second};
		++at;
		return change;
	};
}

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

BOOST_AUTO_TEST_CASE(every_offset_of_a_chunk_list_is_found)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	std::vector<std::uint64_t> starts;
	std::uint64_t size = 0;
	for (std::uint32_t i = 0; i < 30000; i++) {
		starts.push_back(size);
		const std::uint64_t chunk = 1 + i * 7919 % 50000;
		builder.append_chunk(digest_of(raw_bytes(le32(i))), chunk);
		size += chunk;
	}
	const NodeRef root = builder.finish();
	BOOST_TEST(root.bytes == size);
	BOOST_TEST(root.leaves == starts.size());
	BOOST_TEST(root.level >= 2);
	for (std::uint32_t i = 0; i < 30000; i += 371) {
		for (const std::uint64_t offset : {starts[i], starts[i + 1] - 1}) {
			TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
			nodes.reads = 0;
			at.seek_offset(offset);
			BOOST_REQUIRE(!at.at_end());
			BOOST_REQUIRE(at.offset() == starts[i]);
			BOOST_REQUIRE((at.chunk_id() == digest_of(raw_bytes(le32(i)))));
			BOOST_REQUIRE(nodes.reads <= 4U);
		}
	}
	TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
	at.seek_offset(size);
	BOOST_TEST(at.at_end());
}

BOOST_AUTO_TEST_CASE(a_chunk_list_goes_on_from_every_checkpoint)
{
	const auto chunk = [](std::uint32_t i) { return digest_of(raw_bytes(le32(i))); };
	constexpr std::uint32_t count = 5000;
	Nodes nodes;
	TreeBuilder whole(TreeKind::chunk_list, nodes.sink());
	std::vector<Buffer> checkpoints;
	for (std::uint32_t i = 0; i < count; i++) {
		if (i % 97 == 0)
			checkpoints.push_back(whole.checkpoint());
		whole.append_chunk(chunk(i), i + 1);
	}
	const Digest expected = whole.finish().id;
	for (std::size_t k = 0; k < checkpoints.size(); k++) {
		TreeBuilder rest = TreeBuilder::resume(checkpoints[k], "test", nodes.sink());
		for (std::uint32_t i = static_cast<std::uint32_t>(k) * 97; i < count; i++)
			rest.append_chunk(chunk(i), i + 1);
		BOOST_REQUIRE(rest.leaves() == count);
		BOOST_REQUIRE((rest.finish().id == expected));
	}
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_corrupt_or_harmless)
{
	Nodes nodes;
	TreeBuilder whole(TreeKind::chunk_list, nodes.sink());
	for (std::uint32_t i = 0; i < 700; i++)
		whole.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
	const Buffer good = whole.checkpoint();
	for (std::size_t size = 0; size < good.size(); size += 13)
		BOOST_CHECK_THROW(TreeBuilder::resume(Bytes(good).first(size), "test", nodes.sink()), CorruptError);
	for (std::size_t i = 0; i < good.size(); i++) {
		Buffer bad = good;
		bad[i] ^= 0xff;
		try {
			TreeBuilder::resume(bad, "test", nodes.sink()).finish();
		} catch (const CorruptError &) {
		}
	}
}

// A chunk after which a node ends as soon as it may, or only where it must.
static Digest chunk_that_ends_nodes(bool ends)
{
	for (std::uint32_t i = 0;; i++) {
		const Digest id = digest_of(raw_bytes(le32(i)));
		if ((id.first_word() < std::uint32_t(1) << 25) == ends)
			return id;
	}
}

BOOST_AUTO_TEST_CASE(a_run_of_equal_chunks_is_as_many_single_ones)
{
	for (const bool ends : {false, true}) {
		const Digest id = chunk_that_ends_nodes(ends);
		for (const std::uint64_t count : {1, 2, 31, 32, 33, 511, 512, 513, 1024, 17 * 512, 17 * 512 + 30,
			     512 * 32 - 1, 512 * 32, 512 * 512 - 1, 512 * 512 + 1})
			for (const std::uint32_t before : {0, 30, 512, 1300}) {
				Nodes in_runs, one_by_one;
				TreeBuilder a(TreeKind::chunk_list, in_runs.sink()), b(TreeKind::chunk_list, one_by_one.sink());
				const auto other = [&](std::uint32_t i) {
					a.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
					b.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
				};
				for (std::uint32_t i = 0; i < before; i++)
					other(i);
				in_runs.writes = 0;
				a.append_chunks(id, 4096, count);
				BOOST_REQUIRE(in_runs.writes < 12U);
				for (std::uint64_t i = 0; i < count; i++)
					b.append_chunk(id, 4096);
				BOOST_REQUIRE((a.checkpoint() == b.checkpoint()));
				for (std::uint32_t i = 0; i < before; i++)
					other(7 * i);
				const NodeRef left = a.finish(), right = b.finish();
				BOOST_REQUIRE((left.id == right.id));
				BOOST_REQUIRE(left.leaves == right.leaves);
				BOOST_REQUIRE(left.bytes == right.bytes);
				BOOST_REQUIRE((in_runs.stored == one_by_one.stored));
			}
	}
}

BOOST_AUTO_TEST_CASE(a_run_of_any_length_costs_some_nodes)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	const Digest zeros = chunk_that_ends_nodes(false), other = digest_of(bytes_of("other"));
	constexpr std::uint64_t count = std::uint64_t(1) << 49;
	builder.append_chunk(other, 7);
	builder.append_chunks(zeros, 16384, count);
	builder.append_chunk(other, 7);
	const NodeRef root = builder.finish();
	BOOST_TEST(root.bytes == (count << 14) + 14);
	BOOST_TEST(root.leaves == count + 2);
	BOOST_TEST(nodes.writes < 30U);
	TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
	at.settle();
	BOOST_TEST(at.skip_run() == 1U);
	at.settle();
	BOOST_TEST(at.skip_run() == count);
	BOOST_TEST(at.offset() == (count << 14) + 7);
	at.settle();
	BOOST_TEST((at.chunk_id() == other));
	BOOST_TEST(at.skip_run() == 1U);
	BOOST_TEST(at.at_end());
	BOOST_TEST(nodes.reads < 100U);
}

BOOST_AUTO_TEST_CASE(a_run_ends_where_it_is_told_to)
{
	Nodes nodes;
	TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
	const Digest zeros = chunk_that_ends_nodes(false);
	for (std::uint32_t i = 0; i < 100; i++)
		builder.append_chunk(digest_of(raw_bytes(le32(i))), 1);
	builder.append_chunks(zeros, 1, 1000000);
	const NodeRef root = builder.finish();
	for (const std::uint64_t most : {1, 511, 512, 513, 400000, 999999, 1000000, 1000001}) {
		TreeCursor at(TreeKind::chunk_list, root.id, nodes.source());
		at.seek_offset(100);
		BOOST_REQUIRE(at.skip_run(most) == std::min<std::uint64_t>(most, 1000000));
		BOOST_REQUIRE(at.at_end() == (most >= 1000000));
		BOOST_REQUIRE(at.offset() == 100 + std::min<std::uint64_t>(most, 1000000));
	}
}

BOOST_AUTO_TEST_CASE(equal_runs_are_passed_wherever_their_nodes_end)
{
	Nodes nodes;
	const Digest zeros = chunk_that_ends_nodes(false);
	const auto list = [&](std::uint32_t before, std::uint64_t count) {
		TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
		for (std::uint32_t i = 0; i < before; i++)
			builder.append_chunk(digest_of(raw_bytes(le32(i))), 1);
		builder.append_chunks(zeros, 1, count);
		builder.append_chunk(digest_of(bytes_of("end")), 1);
		return builder.finish().id;
	};
	constexpr std::uint64_t count = 1000000000;
	TreeCursor a(TreeKind::chunk_list, list(3, count), nodes.source());
	TreeCursor b(TreeKind::chunk_list, list(20, count + 5), nodes.source());
	a.seek_offset(3);
	b.seek_offset(20);
	nodes.reads = 0;
	skip_equal(a, b);
	BOOST_TEST(nodes.reads < 300U);
	BOOST_TEST(a.offset() == count + 3);
	BOOST_TEST(b.offset() == count + 20);
}

BOOST_AUTO_TEST_CASE(known_roots)
{
	// H(02 01 00 00000000 0000000000000000 0000000000000000 e3b0c442...), and the same with kind 2.
	BOOST_TEST(to_hex(empty_root(TreeKind::chunk_list)) ==
		"7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3");
	Nodes nodes;
	BOOST_TEST((rebuilt({}, nodes).id == empty_root(TreeKind::manifest)));
	TreeBuilder one(TreeKind::chunk_list, nodes.sink());
	one.append_chunk(digest_of(bytes_of("abc")), 3);
	BOOST_TEST((one.finish().id == single_chunk_root(digest_of(bytes_of("abc")), 3)));
}

BOOST_AUTO_TEST_CASE(no_changed_byte_of_a_node_passes)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 40; i++) {
		const std::string path = "p" + std::to_string(i);
		manifest[path] = entry_at(path, i);
	}
	TreeBuilder list(TreeKind::chunk_list, nodes.sink());
	for (std::uint32_t i = 0; i < 800; i++)
		list.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
	list.finish();
	rebuilt(manifest, nodes);
	for (const auto &[id, stored] : nodes.stored) {
		const auto kind = static_cast<TreeKind>(stored[0]);
		BOOST_CHECK_NO_THROW(Node::parse(stored, kind, &id, "test"));
		for (std::size_t i = 0; i < stored.size(); i += 1 + stored.size() / 3000) {
			Buffer bad = stored;
			bad[i] ^= static_cast<std::uint8_t>(1 << i % 8);
			BOOST_REQUIRE_THROW(Node::parse(bad, kind, &id, "test"), CorruptError);
			try {
				Node::parse(bad, kind, nullptr, "test");
			} catch (const CorruptError &) {
			}
		}
		for (std::size_t size = 0; size < stored.size(); size += 1 + stored.size() / 300)
			BOOST_REQUIRE_THROW(
				Node::parse(Buffer(stored.begin(), stored.begin() + size), kind, nullptr, "test"),
				CorruptError);
	}
}

// A writer of lies: nodes with right ids and wrong counts.
BOOST_AUTO_TEST_CASE(a_child_that_does_not_agree_with_its_parent_is_corrupt)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 3000; i++) {
		const std::string path = std::to_string(10000 + i);
		manifest[path] = entry_at(path, i);
	}
	const NodeRef root = rebuilt(manifest, nodes);
	const Node top = Node::parse(nodes.stored[root.id], TreeKind::manifest, &root.id, "test");
	BOOST_REQUIRE(top.level() >= 1);
	const NodeRef first = top.child(0);
	for (int lie = 0; lie < 4; lie++) {
		NodeRef ref = first;
		if (lie == 0)
			ref.leaves++;
		else if (lie == 1)
			ref.bytes++;
		else if (lie == 2)
			ref.last_path += "x";
		else
			ref.id = top.child(1).id;
		TreeBuilder liar(TreeKind::manifest, nodes.sink());
		// Two of them, so that there is a level above.
		liar.append_node(ref);
		liar.append_node(top.child(2));
		const NodeRef bad = liar.finish();
		const auto walk = [&] {
			TreeCursor at(TreeKind::manifest, bad.id, nodes.source());
			for (at.settle(); !at.at_end(); at.settle())
				at.skip();
		};
		BOOST_TEST_CONTEXT("lie " << lie)
		BOOST_CHECK_THROW(walk(), CorruptError);
		const std::map<std::string, std::optional<Entry>> change{{"1000", entry_at("1000", 1)}};
		if (lie != 2)
			BOOST_CHECK_THROW(
				update_manifest(bad.id, nodes.source(), changes_of(change), nodes.sink()), CorruptError);
	}
}

// A tree that shrinks to one subtree is cut down to its real root: what its parent said to be an inner
// node is a leaf, whose items are shorter.
BOOST_AUTO_TEST_CASE(a_leaf_that_is_said_to_be_an_inner_node_does_not_become_a_root)
{
	for (int level : {1, 2, 5}) {
		Nodes nodes;
		const NodeRef low = rebuilt({{"a", entry_at("a", 7)}}, nodes);
		const NodeRef high = rebuilt({{"b", entry_at("b", 7)}}, nodes);
		TreeBuilder liar(TreeKind::manifest, nodes.sink());
		for (NodeRef ref : {low, high}) {
			ref.level = level;
			ref.last_path = ref.id == low.id ? "a" : "b";
			liar.append_node(ref);
		}
		const NodeRef bad = liar.finish(nodes.source());
		BOOST_REQUIRE(bad.level == level + 1);
		const std::map<std::string, std::optional<Entry>> changes{{"b", std::nullopt}};
		BOOST_CHECK_THROW(update_manifest(bad.id, nodes.source(), changes_of(changes), nodes.sink()), CorruptError);
	}
	// Nor one that was taken whole.
	Nodes nodes;
	NodeRef leaf = rebuilt({{"a", entry_at("a", 7)}}, nodes);
	leaf.level = 1;
	leaf.last_path = "a";
	TreeBuilder builder(TreeKind::manifest, nodes.sink());
	builder.append_node(leaf);
	BOOST_CHECK_THROW(builder.finish(nodes.source()), CorruptError);
}

// The journal of another's store may hold anything: no checkpoint makes a tree whose sums are wrong, or
// one that does not end.
BOOST_AUTO_TEST_CASE(a_checkpoint_that_no_builder_left_is_corrupt)
{
	for (const int chunks : {1, 700, 40000}) {
		Nodes nodes;
		TreeBuilder builder(TreeKind::chunk_list, nodes.sink());
		for (int i = 0; i < chunks; i++)
			builder.append_chunk(digest_of(bytes_of(std::to_string(i))), 1000);
		const Buffer good = builder.checkpoint();
		BOOST_CHECK_NO_THROW(TreeBuilder::resume(good, "test", nodes.sink()));
		std::mt19937 random(1);
		for (int i = 0; i < 3000; i++) {
			Buffer bad = good;
			for (int edits = 0; edits < 1 + i % 3; edits++)
				bad[random() % (i % 2 ? bad.size() : std::min<std::size_t>(bad.size(), 120))] =
					static_cast<std::uint8_t>(random() % 3);
			try {
				TreeBuilder resumed = TreeBuilder::resume(bad, "test", nodes.sink());
				const std::uint64_t bytes = resumed.bytes();
				const NodeRef root = resumed.finish();
				BOOST_REQUIRE(root.bytes <= bytes);
			} catch (const CorruptError &) {
			}
		}
		// The sums of all, and of the first level.
		for (const std::size_t at : {0, 8, 17, 25}) {
			Buffer bad = good;
			bad[at]++;
			BOOST_CHECK_THROW(TreeBuilder::resume(bad, "test", nodes.sink()), CorruptError);
		}
	}
}

BOOST_AUTO_TEST_CASE(what_is_said_of_a_root_is_checked)
{
	Nodes nodes;
	const NodeRef root = rebuilt({{"a", entry_at("a", 1)}, {"b", entry_at("b", 2)}}, nodes);
	const NodeSource source = nodes.source();
	const TreeKind kind = TreeKind::manifest;
	BOOST_CHECK_NO_THROW(load_root(source, kind, {root.id, 2, root.bytes}));
	BOOST_CHECK_THROW(load_root(source, kind, {root.id, 3, root.bytes}), CorruptError);
	BOOST_CHECK_THROW(load_root(source, kind, {root.id, 2, root.bytes + 1}), CorruptError);
	BOOST_CHECK_NO_THROW(load_root(source, kind, {empty_root(kind), 0, 0}));
	BOOST_CHECK_THROW(load_root(source, kind, {empty_root(kind), 0, 1}), CorruptError);
}

BOOST_AUTO_TEST_SUITE_END()
