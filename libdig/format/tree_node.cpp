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
#include "libdig/format/node_memo.h"

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

// Takes one item off the cursor.
static NodeItem take_item(Cursor &cursor, TreeKind kind, int level, Entry &scratch)
{
	const std::uint64_t start = cursor.offset();
	NodeItem item;
	if (level == 0 && kind == TreeKind::manifest) {
		item.path_size = static_cast<std::uint32_t>(scratch.decode_over(cursor).size());
		item.path_at = 2;
		item.bytes = scratch.size;
	} else {
		item.bytes = cursor.u64();
		if (level > 0) {
			item.leaves = cursor.u64();
			if (item.leaves == 0)
				cursor.fail("a subtree without items");
		}
		cursor.take(32);
		if (kind == TreeKind::manifest) {
			item.path_size = cursor.u16();
			item.path_at = static_cast<std::uint32_t>(cursor.offset() - start);
			cursor.take(item.path_size);
		} else if (level == 0 && (item.bytes == 0 || item.bytes > 16_MiB)) {
			cursor.fail("a chunk's size is out of bounds");
		}
	}
	item.size = static_cast<std::uint32_t>(cursor.offset() - start);
	return item;
}

Node Node::parse(Buffer stored, TreeKind kind, const Digest *id, std::string_view name, NodeMemo *memo)
{
	Node node;
	node.stored_ = std::move(stored);
	node.kind_ = kind;
	node.parse_items(name, memo);
	const auto computed_id = [&] {
		return memo ? node.id_with(memo->finish(Bytes(node.stored_).subspan(node_header_size))) : node.compute_id();
	};
	if (id && computed_id() != *id)
		throw CorruptError("node " + to_hex(*id) + " has other content than its id says");
	return node;
}

void Node::parse_items(std::string_view name, NodeMemo *memo)
{
	Cursor cursor(stored_, name);
	if (cursor.u8() != static_cast<std::uint8_t>(kind_))
		cursor.fail("the node is of another kind");
	level_ = cursor.u8();
	const std::uint32_t items = cursor.u32();
	leaves_ = cursor.u64();
	bytes_ = cursor.u64();
	if (level_ > max_tree_level || items > max_node_items || (items == 0 && level_ > 0))
		cursor.fail("the node's level or number of items is out of bounds");
	if (memo)
		memo->begin(kind_, level_);
	std::uint64_t leaves = 0, bytes = 0;
	std::string_view before;
	Entry scratch;
	offsets_.reserve(items + 1);
	for (std::uint32_t i = 0; i < items; i++) {
		const std::size_t start = cursor.offset();
		offsets_.push_back(static_cast<std::uint32_t>(start));
		const NodeItem *known = memo ? memo->known(Bytes(stored_).subspan(start)) : nullptr;
		const NodeItem item = known ? *known : take_item(cursor, kind_, level_, scratch);
		const std::string_view path = text_of(Bytes(stored_).subspan(start + item.path_at, item.path_size));
		if (known)
			cursor.take(item.size);
		else if (memo)
			memo->add(item, path);
		if (kind_ == TreeKind::manifest) {
			if (i > 0 && path <= before)
				cursor.fail("paths are not in order");
			before = path;
		}
		leaves = checked_add(leaves, item.leaves, tree_name, start);
		bytes = checked_add(bytes, item.bytes, tree_name, start);
	}
	cursor.expect_end();
	offsets_.push_back(static_cast<std::uint32_t>(stored_.size()));
	if (leaves != leaves_ || bytes != bytes_)
		cursor.fail("the node's counts do not agree with its items");
}

Digest Node::id_with(const Digest &tree_hash) const
{
	return node_id(kind_, {level_, static_cast<std::uint32_t>(size()), leaves_, bytes_, tree_hash});
}

Digest Node::compute_id() const
{
	std::vector<std::uint32_t> sizes(size());
	for (std::size_t i = 0; i < size(); i++)
		sizes[i] = offsets_[i + 1] - offsets_[i];
	MerkleTree tree;
	return id_with(merkle_tree_hash(Bytes(stored_).subspan(node_header_size), sizes, tree));
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
