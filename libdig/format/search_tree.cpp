#include "libdig/format/search_tree.h"

#include <algorithm>
#include <cassert>

namespace dig {

constexpr std::uint8_t node_prefix = 0x02, path_boundary_prefix = 0x04;
constexpr std::uint32_t boundary_threshold = std::uint32_t(1) << 25;
constexpr std::string_view tree_name = "a node";

static Digest node_id(TreeKind kind, int level, std::uint32_t items, std::uint64_t leaves,
	std::uint64_t bytes, const Digest &tree_hash)
{
	Buffer message;
	put_u8(message, node_prefix);
	put_u8(message, static_cast<std::uint8_t>(kind));
	put_u8(message, static_cast<std::uint8_t>(level));
	put_u32(message, items);
	put_u64(message, leaves);
	put_u64(message, bytes);
	append(message, tree_hash);
	return digest_of(message);
}

Digest empty_root(TreeKind kind) { return node_id(kind, 0, 0, 0, 0, digest_of(Bytes())); }

Digest single_chunk_root(const Digest &chunk, std::uint64_t size)
{
	Buffer item;
	put_u64(item, size);
	append(item, chunk);
	return node_id(TreeKind::chunk_list, 0, 1, 1, size, leaf_hash(item));
}

static Buffer node_header(TreeKind kind, int level, std::size_t items, std::uint64_t leaves,
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

// Takes one item off the cursor and adds what it holds to the sums.
static void skip_item(Cursor &cursor, TreeKind kind, int level, std::uint64_t &leaves,
	std::uint64_t &bytes, std::string_view &path)
{
	const std::uint64_t at = cursor.offset();
	std::uint64_t item_leaves = 1, item_bytes;
	if (level == 0 && kind == TreeKind::manifest) {
		const Entry entry = Entry::decode(cursor);
		item_bytes = entry.size;
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
	node.offsets_.reserve(items + 1);
	for (std::uint32_t i = 0; i < items; i++) {
		const std::size_t start = cursor.offset();
		node.offsets_.push_back(static_cast<std::uint32_t>(start));
		std::string_view path;
		skip_item(cursor, kind, node.level_, leaves, bytes, path);
		if (kind == TreeKind::manifest) {
			if (node.level_ == 0)
				path = path_of_encoded_entry(Bytes(node.stored_).subspan(start));
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
	return node_id(kind_, level_, static_cast<std::uint32_t>(size()), leaves_, bytes_,
		merkle_tree_hash(items, sizes, scratch));
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
	Node node = loaded(source, kind, ref.id);
	if (node.level() != ref.level || node.leaves() != ref.leaves || node.bytes() != ref.bytes ||
		(kind == TreeKind::manifest && node.path(node.size() - 1) != ref.last_path))
		throw CorruptError("node " + to_hex(ref.id) + " does not agree with its parent");
	if (kind == TreeKind::manifest && !before.empty() && node.path(0) <= before)
		throw CorruptError("node " + to_hex(ref.id) + " has paths that are not in order with those before it");
	return node;
}

Node load_root(const NodeSource &source, TreeKind kind, const TreeRoot &root)
{
	Node node = root.id == empty_root(kind)
		? Node::parse(node_header(kind, 0, 0, 0, 0), kind, nullptr, tree_name)
		: loaded(source, kind, root.id);
	if (root.leaves.value_or(node.leaves()) != node.leaves() || root.bytes.value_or(node.bytes()) != node.bytes())
		throw CorruptError("node " + to_hex(root.id) + " has " + std::to_string(node.leaves()) + " items with " +
			std::to_string(node.bytes()) + " bytes, which is not what is said of it");
	return node;
}

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
	ref.id = node_id(kind_, number, static_cast<std::uint32_t>(from.sizes.size()), from.leaves,
		from.bytes, merkle_tree_hash(from.items, from.sizes, scratch_));
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

// What no builder leaves behind: sums that are not those of the items that wait, and a node that is no
// item of the level above.
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

TreeCursor::TreeCursor(TreeKind kind, const TreeRoot &root, NodeSource source)
	: kind_(kind), source_(std::move(source))
{
	Node node = load_root(source_, kind, root);
	total_leaves_ = node.leaves();
	total_bytes_ = node.bytes();
	if (node.size() > 0)
		frames_.push_back({std::move(node), 0});
}

std::string_view TreeCursor::path_before() const
{
	if (kind_ == TreeKind::manifest)
		for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
			if (frame->at > 0)
				return frame->node.path(frame->at - 1);
	return {};
}

std::uint64_t TreeCursor::current_bytes() const
{
	const Frame &frame = frames_.back();
	if (frame.node.level() == 0 && kind_ == TreeKind::manifest)
		return frame.node.entry(frame.at).size;
	return dig::load<std::uint64_t>(frame.node.item(frame.at).data());
}

void TreeCursor::enter()
{
	Node node = load_node(source_, kind_, subtree(), path_before());
	frames_.push_back({std::move(node), 0});
}

void TreeCursor::skip()
{
	if (kind_ == TreeKind::chunk_list)
		offset_ += current_bytes();
	frames_.back().at++;
	while (!frames_.empty() && frames_.back().at == frames_.back().node.size()) {
		frames_.pop_back();
		if (!frames_.empty())
			frames_.back().at++;
	}
}

// known has, by level, a node of which it is true.
bool TreeCursor::holds_only(const NodeRef &ref, const Digest &chunk, std::vector<Digest> &known)
{
	const std::size_t level = static_cast<std::size_t>(ref.level);
	if (known.size() <= level)
		known.resize(level + 1);
	if (known[level] == ref.id)
		return true;
	const Node node = load_node(source_, kind_, ref, {});
	for (std::size_t i = 1; i < node.size(); i++)
		if (!std::ranges::equal(node.item(i), node.item(0)))
			return false;
	if (level == 0 ? node.chunk_id(0) != chunk : !holds_only(node.child(0), chunk, known))
		return false;
	known[level] = ref.id;
	return true;
}

std::uint64_t TreeCursor::skip_run(std::uint64_t most)
{
	const Digest chunk = chunk_id();
	std::vector<Digest> known;
	std::uint64_t count = 0;
	while (!at_end() && count < most) {
		if (is_leaf()) {
			if (chunk_id() != chunk)
				break;
			skip();
			count++;
			continue;
		}
		// A node that is not worth it is read by enter() alone.
		const NodeRef ref = subtree();
		if (count >= min_node_items && ref.leaves <= most - count && holds_only(ref, chunk, known)) {
			skip();
			count += ref.leaves;
		} else {
			enter();
		}
	}
	return count;
}

void TreeCursor::settle()
{
	while (!at_end() && !is_leaf())
		enter();
}

void TreeCursor::seek(std::string_view path)
{
	while (!at_end()) {
		// Leave nodes whose last path lies before.
		const Frame &frame = frames_.back();
		if (frame.node.path(frame.node.size() - 1) < path) {
			frames_.pop_back();
			if (frames_.empty())
				return;
			frames_.back().at++;
			while (!frames_.empty() && frames_.back().at == frames_.back().node.size()) {
				frames_.pop_back();
				if (!frames_.empty())
					frames_.back().at++;
			}
			continue;
		}
		Frame &here = frames_.back();
		std::size_t low = here.at, high = here.node.size() - 1;
		while (low < high) {
			const std::size_t middle = (low + high) / 2;
			if (here.node.path(middle) < path)
				low = middle + 1;
			else
				high = middle;
		}
		here.at = low;
		if (is_leaf())
			return;
		enter();
	}
}

void TreeCursor::seek_offset(std::uint64_t offset)
{
	while (!at_end()) {
		if (offset_ + current_bytes() <= offset)
			skip();
		else if (is_leaf())
			return;
		else
			enter();
	}
}

// Merges the changes into the subtree at ref, in order.
class ManifestUpdate {
public:
	ManifestUpdate(const NodeSource &source, const ManifestChanges &changes, TreeBuilder &builder)
		: source_(source), changes_(changes), builder_(builder), next_(changes())
	{
	}

	void merge_tree(const TreeRoot &root)
	{
		merge_items(load_root(source_, TreeKind::manifest, root), {}, true);
		append_changes_before({});
	}

private:
	void merge_node(const NodeRef &ref, std::string_view before, bool is_rightmost)
	{
		// A node that is not the last of its level ended by the rule, and may stand as it is
		// wherever a node starts; the last one only if nothing follows it.
		const bool is_untouched =
			!next_ || (!is_rightmost && next_->path > ref.last_path);
		if (is_untouched && builder_.is_clean(ref.level)) {
			builder_.append_node(ref);
			return;
		}
		merge_items(load_node(source_, TreeKind::manifest, ref, before), before, is_rightmost);
	}

	void merge_items(const Node &node, std::string_view before, bool is_rightmost)
	{
		for (std::size_t i = 0; i < node.size(); i++)
			if (node.level() > 0)
				merge_node(node.child(i), i > 0 ? node.path(i - 1) : before,
					is_rightmost && i + 1 == node.size());
			else
				merge_item(node, i);
	}

	void append_changes_before(std::optional<std::string_view> path)
	{
		for (; next_ && (!path || next_->path < *path); next_ = changes_())
			if (next_->entry)
				builder_.append_entry(*next_->entry);
	}

	void merge_item(const Node &node, std::size_t i)
	{
		append_changes_before(node.path(i));
		if (!next_ || next_->path != node.path(i)) {
			builder_.append_encoded_entry(node.item(i), node.entry(i).size);
			return;
		}
		if (next_->entry)
			builder_.append_entry(*next_->entry);
		next_ = changes_();
	}

	const NodeSource &source_;
	const ManifestChanges &changes_;
	TreeBuilder &builder_;
	std::optional<ManifestChange> next_;
};

NodeRef update_manifest(const TreeRoot &old_root, const NodeSource &source,
	const ManifestChanges &changes, const NodeSink &sink)
{
	TreeBuilder builder(TreeKind::manifest, sink);
	ManifestUpdate(source, changes, builder).merge_tree(old_root);
	return builder.finish(source);
}

// Both stand before one chunk.  Of a long run the nodes may end at other places on each side.
static void skip_equal_run(TreeCursor &a, TreeCursor &b)
{
	TreeCursor ahead_of_a = a, ahead_of_b = b;
	const std::uint64_t count = std::min(ahead_of_a.skip_run(), ahead_of_b.skip_run());
	a.skip_run(count);
	b.skip_run(count);
}

void skip_equal(TreeCursor &a, TreeCursor &b)
{
	Digest chunk;
	std::size_t alike = 0; // of this chunk in a row
	while (!a.at_end() && !b.at_end()) {
		if (!a.is_leaf() && !b.is_leaf()) {
			const NodeRef left = a.subtree(), right = b.subtree();
			// Where the parents say different things of one node, entering it tells who lies.
			if (left.id == right.id && left.leaves == right.leaves && left.bytes == right.bytes) {
				a.skip();
				b.skip();
			} else {
				if (left.level >= right.level)
					a.enter();
				if (right.level >= left.level)
					b.enter();
			}
		} else if (!a.is_leaf()) {
			a.enter();
		} else if (!b.is_leaf()) {
			b.enter();
		} else if (!std::ranges::equal(a.encoded(), b.encoded())) {
			return;
		} else if (a.kind() == TreeKind::chunk_list && a.chunk_id() == chunk && ++alike >= min_node_items) {
			skip_equal_run(a, b);
			alike = 0;
		} else {
			if (a.kind() == TreeKind::chunk_list && a.chunk_id() != chunk) {
				chunk = a.chunk_id();
				alike = 0;
			}
			a.skip();
			b.skip();
		}
	}
}

void diff_manifests(const TreeRoot &before, const TreeRoot &after, const NodeSource &source,
	const std::function<void(const Entry *, const Entry *)> &differs)
{
	if (before.id == after.id)
		return;
	TreeCursor a(TreeKind::manifest, before, source), b(TreeKind::manifest, after, source);
	for (;;) {
		skip_equal(a, b);
		if (a.at_end() && b.at_end())
			return;
		a.settle();
		b.settle();
		const int order = a.at_end() ? 1 : b.at_end() ? -1 : a.path().compare(b.path());
		if (order < 0) {
			const Entry old = a.entry();
			differs(&old, nullptr);
			a.skip();
		} else if (order > 0) {
			const Entry entry = b.entry();
			differs(nullptr, &entry);
			b.skip();
		} else {
			const Entry old = a.entry(), entry = b.entry();
			if (!(old == entry))
				differs(&old, &entry);
			a.skip();
			b.skip();
		}
	}
}

std::optional<Entry> find_entry(const TreeRoot &manifest, std::string_view path,
	const NodeSource &source)
{
	TreeCursor cursor(TreeKind::manifest, manifest, source);
	cursor.seek(path);
	if (cursor.at_end() || cursor.path() != path)
		return {};
	return cursor.entry();
}

} // namespace dig
