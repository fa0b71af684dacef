// Nodes that are damaged, or that do not agree with what is said of them.
#include "libdig/format/tree_node.h"

#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/format/node_memo.h"
#include "t/unit/trees.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(tree_node)

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

static int level_of(const Buffer &stored) { return stored[1]; }

// Each state differs from the one before in some entries; nodes of one level go through one memo.
BOOST_AUTO_TEST_CASE(a_memo_changes_no_verdict)
{
	std::mt19937 random(5);
	Manifest manifest;
	for (int i = 0; i < 3000; i++) {
		const std::string path = std::to_string(10000 + i);
		manifest[path] = entry_at(path, i);
	}
	Nodes nodes;
	std::map<int, NodeMemo> memos;
	for (int state = 0; state < 8; state++) {
		for (int change = 0; change < state * 20; change++) {
			const std::string path = std::to_string(10000 + random() % 3500);
			if (random() % 3 == 0)
				manifest.erase(path);
			else
				manifest[path] = entry_at(path, random() % 4000);
		}
		const NodeRef root = rebuilt(manifest, nodes);
		const NodeSource source = [&](const Digest &id) {
			const Buffer &stored = nodes.stored.at(id);
			BOOST_CHECK_NO_THROW(
				Node::parse(stored, TreeKind::manifest, &id, "test", &memos[level_of(stored)]));
			Digest other = id;
			other.bytes[7] ^= 1;
			BOOST_CHECK_THROW(
				Node::parse(stored, TreeKind::manifest, &other, "test", &memos[level_of(stored)]),
				CorruptError);
			return stored;
		};
		std::size_t entries = 0;
		TreeCursor walk(TreeKind::manifest, root.id, source);
		for (walk.settle(); !walk.at_end(); walk.settle(), entries++)
			walk.skip();
		BOOST_TEST(entries == manifest.size());
	}
}

BOOST_AUTO_TEST_CASE(no_changed_byte_passes_beside_the_memo_of_the_good_node)
{
	Nodes nodes;
	Manifest manifest;
	for (int i = 0; i < 3000; i++) {
		const std::string path = std::to_string(10000 + i);
		manifest[path] = entry_at(path, i);
	}
	rebuilt(manifest, nodes);
	TreeBuilder list(TreeKind::chunk_list, nodes.sink());
	for (std::uint32_t i = 0; i < 800; i++)
		list.append_chunk(digest_of(raw_bytes(le32(i))), i + 1);
	list.finish();
	NodeMemo memo;
	for (const auto &[id, stored] : nodes.stored) {
		const auto kind = static_cast<TreeKind>(stored[0]);
		for (std::size_t i = 0; i < stored.size(); i += 1 + stored.size() / 300) {
			BOOST_REQUIRE_NO_THROW(Node::parse(stored, kind, &id, "test", &memo));
			Buffer bad = stored;
			bad[i] ^= static_cast<std::uint8_t>(1 << i % 8);
			BOOST_REQUIRE_THROW(Node::parse(bad, kind, &id, "test", &memo), CorruptError);
			bad.assign(stored.begin(), stored.begin() + i);
			BOOST_REQUIRE_THROW(Node::parse(bad, kind, &id, "test", &memo), CorruptError);
		}
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
