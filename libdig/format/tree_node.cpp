// A node comes from a layer, and nobody has checked it.  parse() makes sure of everything that a walk
// relies on, so that no other code has to: the kind, the bounds of level and counts, sums that agree
// with the items and do not overflow, paths in strict order, and no bytes behind the last item.  With an
// id it also compares the digest, at the end, since the cheap checks reject most damage before.
//
// What one node cannot show is checked where its parent is at hand (load_node): that it is of the level
// below, and that counts and last path are those that the parent names.  Together they bound a walk: its
// depth by the level of the root, and its length by the counts of the root.
//
// Items stay encoded.  parse() notes where each begins, and an entry is decoded when it is asked for: a
// seek looks at the paths of some items of a node, and an extraction at all of them once.
#include "libdig/format/tree_node.h"

#include "libdig/chunking/merkle.h"

namespace dig {

constexpr std::string_view tree_name = "a node";

Buffer node_header(TreeKind kind, int level, std::size_t items, std::uint64_t leaves,
	std::uint64_t bytes)
{
	Buffer header;
	put_u8(header, static_cast<std::uint8_t>(kind));
	put_u8(header, static_cast<std::uint8_t>(level));
	put_u32(header, static_cast<std::uint32_t>(items));
	put_u64(header, leaves);
	put_u64(header, bytes);
	return header;
}

Buffer single_chunk_node(const Digest &chunk, std::uint64_t size)
{
	Buffer stored = node_header(TreeKind::chunk_list, 0, 1, 1, size);
	put_u64(stored, size);
	append(stored, chunk);
	return stored;
}

// Takes one item off the cursor and adds its counts to the sums.
static void skip_item(Cursor &cursor, TreeKind kind, int level, std::uint64_t &leaves,
	std::uint64_t &bytes, std::string_view &path, Entry &scratch)
{
	const std::uint64_t at = cursor.offset();
	std::uint64_t item_leaves = 1, item_bytes;
	if (level == 0 && kind == TreeKind::manifest) {
		path = scratch.decode_over(cursor);
		item_bytes = scratch.size;
	} else {
		item_bytes = cursor.u64();
		if (level > 0) {
			item_leaves = cursor.u64();
			if (item_leaves == 0)
				cursor.fail("a subtree without items");
		}
		cursor.take(32);
		if (kind == TreeKind::manifest)
			path = text_of(cursor.take(cursor.u16()));
		else if (level == 0 && (item_bytes == 0 || item_bytes > 16_MiB))
			cursor.fail("a chunk's size is out of bounds");
	}
	leaves = checked_add(leaves, item_leaves, tree_name, at);
	bytes = checked_add(bytes, item_bytes, tree_name, at);
}

Node Node::parse(Buffer stored, TreeKind kind, const Digest *id, std::string_view name)
{
	Node node;
	node.stored_ = std::move(stored);
	Cursor cursor(node.stored_, name);
	if (cursor.u8() != static_cast<std::uint8_t>(kind))
		cursor.fail("the node is of another kind");
	node.kind_ = kind;
	node.level_ = cursor.u8();
	const std::uint32_t items = cursor.u32();
	node.leaves_ = cursor.u64();
	node.bytes_ = cursor.u64();
	if (node.level_ > max_tree_level || items > max_node_items || (items == 0 && node.level_ > 0))
		cursor.fail("the node's level or number of items is out of bounds");
	std::uint64_t leaves = 0, bytes = 0;
	std::string_view before;
	Entry scratch;
	node.offsets_.reserve(items + 1);
	for (std::uint32_t i = 0; i < items; i++) {
		const std::size_t start = cursor.offset();
		node.offsets_.push_back(static_cast<std::uint32_t>(start));
		std::string_view path;
		skip_item(cursor, kind, node.level_, leaves, bytes, path, scratch);
		if (kind == TreeKind::manifest) {
			if (i > 0 && path <= before)
				cursor.fail("paths are not in order");
			before = path;
		}
	}
	cursor.expect_end();
	node.offsets_.push_back(static_cast<std::uint32_t>(node.stored_.size()));
	if (leaves != node.leaves_ || bytes != node.bytes_)
		cursor.fail("the node's counts do not agree with its items");
	if (id && node.compute_id() != *id)
		throw CorruptError("node " + to_hex(*id) + " has other content than its id says");
	return node;
}

Digest Node::compute_id() const
{
	std::vector<std::uint32_t> sizes(size());
	for (std::size_t i = 0; i < size(); i++)
		sizes[i] = offsets_[i + 1] - offsets_[i];
	MerkleScratch scratch;
	const Bytes items = Bytes(stored_).subspan(node_header_size);
	return node_id(kind_, {level_, static_cast<std::uint32_t>(size()), leaves_, bytes_,
				      merkle_tree_hash(items, sizes, scratch)});
}

Digest Node::chunk_id(std::size_t i) const
{
	Digest id;
	std::memcpy(id.bytes.data(), item(i).data() + 8, 32);
	return id;
}

Entry Node::entry(std::size_t i) const
{
	Cursor cursor(item(i), tree_name);
	return Entry::decode(cursor);
}

std::string_view Node::path(std::size_t i) const
{
	return level_ == 0 ? path_of_encoded_entry(item(i)) : text_of(item(i).subspan(50));
}

NodeRef Node::child(std::size_t i) const
{
	NodeRef ref;
	const Bytes bytes = item(i);
	ref.bytes = load<std::uint64_t>(bytes.data());
	ref.leaves = load<std::uint64_t>(bytes.data() + 8);
	std::memcpy(ref.id.bytes.data(), bytes.data() + 16, 32);
	ref.level = level_ - 1;
	if (kind_ == TreeKind::manifest)
		ref.last_path = path(i);
	return ref;
}

static Node loaded(const NodeSource &source, TreeKind kind, const Digest &id)
{
	return Node::parse(source(id), kind, &id, "node " + to_hex(id));
}

Node load_node(const NodeSource &source, TreeKind kind, const NodeRef &ref, std::string_view before)
{
	return checked_node(loaded(source, kind, ref.id), ref, before);
}

Node checked_node(Node node, const NodeRef &ref, std::string_view before)
{
	const bool has_paths = node.kind() == TreeKind::manifest;
	if (node.level() != ref.level || node.leaves() != ref.leaves || node.bytes() != ref.bytes ||
		(has_paths && (node.size() == 0 || node.path(node.size() - 1) != ref.last_path)))
		throw CorruptError("node " + to_hex(ref.id) + " does not agree with its parent");
	if (has_paths && !before.empty() && node.path(0) <= before)
		throw CorruptError("node " + to_hex(ref.id) + " has paths that are not in order with those before it");
	return node;
}

Node load_root(const NodeSource &source, TreeKind kind, const TreeRoot &root)
{
	return checked_root(root.id == empty_root(kind)
			? Node::parse(node_header(kind, 0, 0, 0, 0), kind, nullptr, tree_name)
			: loaded(source, kind, root.id), root);
}

Node checked_root(Node node, const TreeRoot &root)
{
	if (root.leaves.value_or(node.leaves()) != node.leaves() || root.bytes.value_or(node.bytes()) != node.bytes())
		throw CorruptError("node " + to_hex(root.id) + " has " + std::to_string(node.leaves()) + " items with " +
			std::to_string(node.bytes()) + " bytes, which is not what is said of it");
	return node;
}

} // namespace dig
