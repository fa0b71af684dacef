// The cursor is a stack of nodes from the root down, with a position in each.  The item at the top
// of the stack is current.  It may be a subtree, and then nothing below it was read: who only wants
// to know whether two subtrees are equal compares their ids and skips them.
//
// Every node is checked against its parent when it is entered (load_node): its counts, its level,
// and that its paths lie behind all paths before it.  So a damaged or forged tree gives an error on
// the way, and never a walk that does not end, or a path twice.
//
// Seeking goes forward only.  It leaves the nodes whose last path lies before the wanted one, and
// then goes down by a binary search in each node.  A sequence of seeks in order reads each node
// once.
#include "libdig/format/tree_cursor.h"

#include <algorithm>

namespace dig {

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

// known has, for each level, the last node for which this is true.
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
		// Short runs are not worth reading a node twice.
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
