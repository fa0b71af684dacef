// A tree is built from the left to the right, in one pass, without knowing how many items follow.
//
// Each level keeps the items of the one node that it has not ended.  An item that is appended to
// level k may end the node there.  The node is then hashed and given to the sink, and becomes an
// item of level k + 1, which may end in turn.  So the memory is one node a level: some hundred KiB
// for any sequence, and a node is final when it is written.
//
// A node ends where its last item is a boundary: a property of that item alone, which one item in
// 128 has on average.  With fixed counts, one insertion would move all boundaries behind it; with a
// B-tree's splits, the tree would depend on the order of edits, and equal content would have
// several roots.  Both were rejected for that.  Items are adversarial or all alike in the worst
// case, so that hard limits stand beside the rule: at least 32 items, at most 512, and an end at 64
// KiB.  Above level 0 a node has two items at least; without this, long paths would give levels
// that do not shrink.
//
// Two shortcuts keep costs down, and neither may change the tree:
//
// * A run of equal chunks, as a hole is one, makes the same node again and again.  append_items()
//   recognizes a node that holds nothing but the run and counts it, once for each repetition, at the
//   level above.  A hole of 10 TB costs some nodes.
//
// * append_node() takes over a subtree of an older tree without reading it.  This is right only if no
//   level below has waiting items (is_clean()), because nodes of the old tree began at such a point,
//   too.  The levels below have then not seen their nodes.  They are counted as two, so that finish()
//   does not take one of them for the root, and finish() reads the top of the tree to see whether it
//   has a single child only.
//
// The state of a builder is small, and so it can be stored: a checkpoint inside a large file lets
// an interrupted add go on there.  It is as untrusted as all that is read, hence the sums in
// resume().
#include "libdig/format/tree_builder.h"

#include <cassert>

namespace dig {

constexpr std::uint8_t path_boundary_prefix = 0x04;
// One item in 128 is a boundary: 2^25 of 2^32.
constexpr std::uint32_t boundary_threshold = std::uint32_t(1) << 25;

TreeBuilder::TreeBuilder(TreeKind kind, NodeSink sink) : kind_(kind), sink_(std::move(sink)) {}

TreeBuilder::Level &TreeBuilder::level(int number)
{
	if (levels_.size() <= static_cast<std::size_t>(number))
		levels_.resize(static_cast<std::size_t>(number) + 1);
	return levels_[static_cast<std::size_t>(number)];
}

bool TreeBuilder::is_clean(int number) const
{
	for (int i = 0; i <= number && i < static_cast<int>(levels_.size()); i++)
		if (!levels_[static_cast<std::size_t>(i)].sizes.empty())
			return false;
	return true;
}

bool TreeBuilder::ends_node(int number, const Digest *id, std::string_view path) const
{
	const Level &level = levels_[static_cast<std::size_t>(number)];
	const std::size_t count = level.sizes.size();
	if (count >= max_node_items || (level.items.size() >= max_node_bytes && (number == 0 || count >= 2)))
		return true;
	if (count < min_node_items)
		return false;
	if (kind_ == TreeKind::chunk_list)
		return id->first_word() < boundary_threshold;
	const std::uint8_t prefix[2] = {path_boundary_prefix, static_cast<std::uint8_t>(number)};
	return digest_of({Bytes(prefix), bytes_of(path)}).first_word() < boundary_threshold;
}

void TreeBuilder::append_items(int number, const Item &item)
{
	std::size_t alone = 0; // items of this run that the node was begun with
	for (std::uint64_t left = item.count; left > 0;) {
		// Levels move when one is added.
		Level &to = level(number);
		append(to.items, item.encoded);
		to.sizes.push_back(static_cast<std::uint32_t>(item.encoded.size()));
		to.leaves += item.leaves;
		to.bytes += item.bytes;
		if (kind_ == TreeKind::manifest)
			to.last_path = item.path;
		left--;
		alone++;
		if (!ends_node(number, item.id, item.path))
			continue;
		// A node of nothing but this item comes again as often as there are enough of them.
		const std::size_t size = to.sizes.size();
		const std::uint64_t again = alone == size ? left / size : 0;
		end_node(number, 1 + again);
		left -= again * size;
		alone = 0;
	}
}

// What waits at this level becomes a node, and that node stands there count times.
void TreeBuilder::end_node(int number, std::uint64_t count)
{
	Level &from = level(number);
	NodeRef ref;
	ref.leaves = from.leaves;
	ref.bytes = from.bytes;
	ref.level = number;
	ref.last_path = from.last_path;
	ref.id = node_id(kind_, {number, static_cast<std::uint32_t>(from.sizes.size()), from.leaves, from.bytes,
					merkle_tree_hash(from.items, from.sizes, scratch_)});
	stored_ = node_header(kind_, number, from.sizes.size(), from.leaves, from.bytes);
	append(stored_, from.items);
	sink_(ref.id, stored_);
	from.items.clear();
	from.sizes.clear();
	from.leaves = from.bytes = 0;
	from.is_last_known = false;
	append_ref(number, ref, count);
}

// Counts nodes of this level and makes them items of the next.
void TreeBuilder::append_ref(int number, const NodeRef &ref, std::uint64_t count)
{
	Level &at = level(number);
	at.node_count += count;
	at.last = ref;
	Buffer item;
	put_u64(item, ref.bytes);
	put_u64(item, ref.leaves);
	append(item, ref.id);
	if (kind_ == TreeKind::manifest) {
		put_u16(item, static_cast<std::uint16_t>(ref.last_path.size()));
		append(item, bytes_of(ref.last_path));
	}
	append_items(number + 1, {item, ref.leaves, ref.bytes, &ref.id, ref.last_path, count});
}

void TreeBuilder::append_chunks(const Digest &id, std::uint64_t size, std::uint64_t count)
{
	item_.clear();
	put_u64(item_, size);
	append(item_, id);
	leaves_ += count;
	bytes_ += size * count;
	append_items(0, {item_, 1, size, &id, {}, count});
}

void TreeBuilder::append_entry(const Entry &entry)
{
	Buffer encoded;
	entry.encode(encoded);
	append_encoded_entry(encoded, entry.size);
}

void TreeBuilder::append_encoded_entry(Bytes encoded, std::uint64_t size)
{
	leaves_++;
	bytes_ += size;
	append_items(0, {encoded, 1, size, nullptr, path_of_encoded_entry(encoded)});
}

void TreeBuilder::append_node(const NodeRef &ref)
{
	assert(is_clean(ref.level));
	leaves_ += ref.leaves;
	bytes_ += ref.bytes;
	// The levels below hold nodes that were never seen here: more than one, or finish() sees
	// that there is one by looking into the root.
	for (int i = 0; i < ref.level; i++)
		level(i).node_count += 2;
	level(ref.level).is_last_known = true;
	append_ref(ref.level, ref);
}

NodeRef TreeBuilder::finish(const NodeSource &source)
{
	int number = 0;
	for (level(0);; number++) {
		Level &at = level(number);
		if (!at.sizes.empty())
			end_node(number);
		else if (number == 0 && at.node_count == 0)
			end_node(0); // the empty sequence
		if (level(number).node_count == 1)
			break;
	}
	NodeRef root = level(number).last;
	// After deletions one subtree may be left whose root has a single item.  A root that was
	// built here has more, and may not be stored yet.
	while (level(number).is_last_known && root.level > 0) {
		const Node node = load_node(source, kind_, root, {});
		if (node.size() != 1)
			break;
		root = node.child(0);
	}
	return root;
}

Buffer TreeBuilder::checkpoint() const
{
	Buffer out;
	put_u64(out, leaves_);
	put_u64(out, bytes_);
	put_u8(out, static_cast<std::uint8_t>(levels_.size()));
	for (const Level &at : levels_) {
		put_u64(out, at.leaves);
		put_u64(out, at.bytes);
		put_u64(out, at.node_count);
		append(out, at.last.id);
		put_u64(out, at.last.leaves);
		put_u64(out, at.last.bytes);
		put_u32(out, static_cast<std::uint32_t>(at.items.size()));
		append(out, at.items);
	}
	return out;
}

// False for states that no builder has: sums of a level that are not the sums of its waiting items,
// or a node that is no item of the level above.
static bool is_whole(std::uint64_t leaves, std::uint64_t bytes, bool has_parents, int number, Bytes items)
{
	const std::size_t size = number > 0 ? chunk_node_item_size : chunk_item_size;
	for (std::size_t at = 0; at < items.size(); at += size) {
		const std::uint64_t item_bytes = load<std::uint64_t>(items.data() + at);
		const std::uint64_t item_leaves = number > 0 ? load<std::uint64_t>(items.data() + at + 8) : 1;
		if (item_bytes > bytes || item_leaves > leaves)
			return false;
		bytes -= item_bytes;
		leaves -= item_leaves;
	}
	return leaves == 0 && bytes == 0 && has_parents;
}

TreeBuilder TreeBuilder::resume(Bytes checkpoint, std::string_view name, NodeSink sink)
{
	TreeBuilder builder(TreeKind::chunk_list, std::move(sink));
	Cursor cursor(checkpoint, name);
	builder.leaves_ = cursor.u64();
	builder.bytes_ = cursor.u64();
	const int count = cursor.u8();
	if (count > max_tree_level)
		cursor.fail("a tree has too many levels");
	for (int i = 0; i < count; i++) {
		Level &at = builder.level(i);
		at.leaves = cursor.u64();
		at.bytes = cursor.u64();
		at.node_count = cursor.u64();
		at.last.id = cursor.digest();
		at.last.leaves = cursor.u64();
		at.last.bytes = cursor.u64();
		at.last.level = i;
		const std::size_t size = cursor.u32(), item = i ? chunk_node_item_size : chunk_item_size;
		if (size % item || size / item >= max_node_items)
			cursor.fail("a level of a tree has an impossible size");
		append(at.items, cursor.take(size));
		at.sizes.assign(size / item, static_cast<std::uint32_t>(item));
	}
	cursor.expect_end();
	std::uint64_t leaves = builder.leaves_, bytes = builder.bytes_;
	for (int i = 0; i < count; i++) {
		const Level &at = builder.level(i);
		const bool has_above = i + 1 < count &&
			(builder.level(i + 1).node_count > 0 || !builder.level(i + 1).sizes.empty());
		if (at.leaves > leaves || at.bytes > bytes ||
			!is_whole(at.leaves, at.bytes, at.node_count == 0 || has_above, i, at.items))
			cursor.fail("a level of a tree is not what its items are");
		leaves -= at.leaves;
		bytes -= at.bytes;
	}
	if (leaves > 0 || bytes > 0)
		cursor.fail("a tree has other sums than its levels");
	return builder;
}

void TreeBuilder::each_waiting(const std::function<void(int level, const Digest &id)> &found) const
{
	for (std::size_t i = 0; i < levels_.size(); i++) {
		const std::size_t size = i ? chunk_node_item_size : chunk_item_size;
		Digest id;
		for (std::size_t at = size; at <= levels_[i].items.size(); at += size) {
			std::memcpy(id.bytes.data(), levels_[i].items.data() + at - sizeof id.bytes, sizeof id.bytes);
			found(static_cast<int>(i), id);
		}
	}
}

} // namespace dig
