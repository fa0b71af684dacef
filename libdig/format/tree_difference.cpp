// Both trees are walked at the same time.  If the current items of both sides are equal subtrees,
// both are skipped without being read.  Otherwise the larger one is entered, until leaves meet.
// Node boundaries depend on the items alone, so behind an edit the nodes of both sides are soon the
// same again, even if many items were inserted and nothing has its old position.
//
// A long run of equal chunks breaks this.  All nodes inside the run are equal, but they begin at
// another place of the run if the two sides have other items in front of it.  The subtrees then
// never meet at the same position, and a hole of a terabyte would be compared chunk by chunk.  So a
// run is recognized after some equal chunks, and both sides pass over it at once (skip_equal_run).
#include "libdig/format/tree_difference.h"

#include <algorithm>

namespace dig {

// Both cursors stand at the same chunk, in a long run of it.  The nodes of the two trees may end at
// different places of the run.
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
	std::size_t alike = 0; // how often in a row
	while (!a.at_end() && !b.at_end()) {
		if (!a.is_leaf() && !b.is_leaf()) {
			const NodeRef left = a.subtree(), right = b.subtree();
			// If the parents disagree about one node, entering it shows which of them
			// is damaged.
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

} // namespace dig
