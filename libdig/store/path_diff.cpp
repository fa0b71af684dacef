// Two cursors go through the two trees, each within the bounds of the wanted paths.  As in
// format/tree_difference, a subtree that both have at the same place is passed over by its id, and the
// larger of two others is entered.  Before the first wanted path nothing is entered at all: an item names
// the last path below it, so that a binary search finds where the wanted ones begin.
//
// "a-b" lies between "a" and "a/b".  So a path stands for two ranges: the entry itself, and what is from
// "a/" up to before "a0", since '0' follows '/'.
#include "libdig/store/path_diff.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>

#include "libdig/os/machine.h"
#include "libdig/os/workers.h"

namespace dig {

// The paths from first up to, and without, end; an empty end is none.
class RangeCursor {
public:
	RangeCursor(KeptNodes &nodes, PathDiff::Memos &memos, const TreeRoot &root, const std::string &first,
		const std::string &end)
		: nodes_(nodes), memos_(memos), first_(first), end_(end)
	{
		KeptNodes::NodePointer node = nodes.root(TreeKind::manifest, root, &memos.root);
		if (node->size() > 0)
			push(std::move(node));
		pass_finished();
	}

	bool at_end() const { return frames_.empty(); }
	bool is_leaf() const { return here().node->level() == 0; }
	int level() const { return here().node->level(); }
	std::string_view path() const { return here().node->path(here().at); }
	Bytes encoded() const { return here().node->item(here().at); }
	Entry entry() const { return here().node->entry(here().at); }

	void enter()
	{
		const Frame &frame = here();
		const std::size_t below = static_cast<std::size_t>(frame.node->level()) - 1;
		if (memos_.levels.size() <= below)
			memos_.levels.resize(below + 1);
		push(nodes_.child(*frame.node, frame.at, &memos_.levels[below]));
		pass_finished();
	}

	void skip()
	{
		frames_.back().at++;
		pass_finished();
	}

	void settle()
	{
		while (!at_end() && !is_leaf())
			enter();
	}

private:
	struct Frame {
		KeptNodes::NodePointer node;
		std::size_t at = 0;
	};
	const Frame &here() const { return frames_.back(); }

	// Stands at the first item that may have a wanted path.
	void push(KeptNodes::NodePointer node)
	{
		std::size_t low = 0, high = node->size();
		while (low < high) {
			const std::size_t middle = (low + high) / 2;
			if (node->path(middle) < first_)
				low = middle + 1;
			else
				high = middle;
		}
		frames_.push_back({std::move(node), low});
	}

	// The path before the current item is that of an item or the last one below it.
	void pass_finished()
	{
		while (!frames_.empty() && here().at == here().node->size()) {
			frames_.pop_back();
			if (!frames_.empty())
				frames_.back().at++;
		}
		if (frames_.empty() || end_.empty())
			return;
		const bool is_behind = is_leaf() ? path() >= end_ : path_before() >= end_;
		if (is_behind)
			frames_.clear();
	}

	std::string_view path_before() const
	{
		for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
			if (frame->at > 0)
				return frame->node->path(frame->at - 1);
		return {};
	}

	KeptNodes &nodes_;
	PathDiff::Memos &memos_;
	const std::string &first_, &end_;
	std::vector<Frame> frames_;
};

// Afterwards both stand at leaves that differ, or at least one is at its end.
static void skip_equal(RangeCursor &a, RangeCursor &b)
{
	while (!a.at_end() && !b.at_end()) {
		const int left = a.level(), right = b.level();
		if (left == right && std::ranges::equal(a.encoded(), b.encoded())) {
			a.skip();
			b.skip();
		} else if (left == 0 && right == 0) {
			return;
		} else {
			if (left >= right && left > 0)
				a.enter();
			if (right >= left && right > 0)
				b.enter();
		}
	}
}

bool PathDiff::each_in(const TreeRoot &before, const TreeRoot &after, const std::string &first, const std::string &end,
	const Differs &differs)
{
	RangeCursor a(nodes_, memos_, before, first, end), b(nodes_, memos_, after, first, end);
	for (;;) {
		skip_equal(a, b);
		a.settle();
		b.settle();
		if (a.at_end() && b.at_end())
			return true;
		const int order = a.at_end() ? 1 : b.at_end() ? -1 : a.path().compare(b.path());
		bool goes_on = true;
		if (order < 0) {
			const Entry old = a.entry();
			goes_on = differs(&old, nullptr);
		} else if (order > 0) {
			const Entry entry = b.entry();
			goes_on = differs(nullptr, &entry);
		} else if (!std::ranges::equal(a.encoded(), b.encoded())) {
			const Entry old = a.entry(), entry = b.entry();
			goes_on = differs(&old, &entry);
		}
		if (!goes_on)
			return false;
		if (order <= 0)
			a.skip();
		if (order >= 0)
			b.skip();
	}
}

void PathDiff::each(const TreeRoot &before, const TreeRoot &after, const std::string &path, const Differs &differs)
{
	if (before.id == after.id)
		return;
	if (path.empty()) {
		const std::string none;
		each_in(before, after, none, none, differs);
		return;
	}
	const std::string behind = path + '\0', below = path + '/', end = path + '0';
	if (each_in(before, after, path, behind, differs))
		each_in(before, after, below, end, differs);
}

bool PathDiff::has_any(const TreeRoot &before, const TreeRoot &after, const std::string &path)
{
	bool differs = false;
	each(before, after, path, [&](const Entry *, const Entry *) {
		differs = true;
		return false;
	});
	return differs;
}

// --- several threads ---------------------------------------------------------------------------------
//
// The paths are divided into ranges where nodes of the newer tree end.  Each thread compares one range after
// the other and holds what it finds until the ranges before were told; then it tells its own.  A thread that
// holds much waits for its turn at once, and tells the rest of its range as it comes.

constexpr std::uint64_t least_leaves = 8192; // for fewer, threads cost more than they gain
constexpr std::size_t least_ranges = 16, most_threads = 4;
constexpr std::size_t nodes_a_range = 16;
constexpr std::size_t most_held_bytes = 2_MiB;
constexpr std::size_t kept_by_thread = 512_KiB;

// The last paths of the ranges, without that of the last range.
static std::vector<std::string> range_ends(KeptNodes &nodes, const TreeRoot &tree)
{
	std::vector<KeptNodes::NodePointer> level = {nodes.root(TreeKind::manifest, tree)};
	std::size_t count = level[0]->size();
	while (count < least_ranges && level[0]->level() > 1) {
		std::vector<KeptNodes::NodePointer> below;
		for (const KeptNodes::NodePointer &node : level)
			for (std::size_t i = 0; i < node->size(); i++)
				below.push_back(nodes.child(*node, i));
		level = std::move(below);
		count = 0;
		for (const KeptNodes::NodePointer &node : level)
			count += node->size();
	}
	// Leaves are read in any case; of what lies higher up, each item is a range.
	const std::size_t share = level[0]->level() == 1 ? std::min(nodes_a_range, count / least_ranges + 1) : 1;
	std::vector<std::string> ends;
	std::size_t number = 0;
	for (const KeptNodes::NodePointer &node : level)
		for (std::size_t i = 0; i < node->size(); i++)
			if (++number % share == 0)
				ends.emplace_back(node->path(i));
	return ends;
}

class WholeDiff {
public:
	WholeDiff(Store &store, const TreeRoot &before, const TreeRoot &after, std::vector<std::string> ends,
		const PathDiff::Differs &differs)
		: store_(store), before_(before), after_(after), ends_(std::move(ends)), differs_(differs)
	{
	}

	void run(std::size_t thread_count)
	{
		workers_.start(thread_count - 1, [this] { work(); });
		workers_.run([this] { work(); });
		workers_.join();
	}

private:
	struct Held {
		std::optional<Entry> before, after;
	};

	void work()
	{
		KeptNodes nodes(store_, kept_by_thread);
		PathDiff diff(nodes);
		for (std::size_t number; (number = next_++) <= ends_.size() && !is_over();)
			compare(diff, number);
	}

	// A range begins behind the last path of the one before.
	void compare(PathDiff &diff, std::size_t number)
	{
		const std::string first = number == 0 ? "" : ends_[number - 1] + '\0';
		const std::string end = number == ends_.size() ? "" : ends_[number] + '\0';
		std::vector<Held> held;
		std::size_t size = 0;
		bool has_turn = false;
		diff.each_in(before_, after_, first, end, [&](const Entry *before, const Entry *after) {
			if (has_turn)
				return tell(before, after);
			held.push_back({before ? std::optional(*before) : std::nullopt,
				after ? std::optional(*after) : std::nullopt});
			size += sizeof(Held) + (before ? before->path.size() : 0) + (after ? after->path.size() : 0);
			if (size < most_held_bytes)
				return !is_over();
			has_turn = true;
			return wait_for_turn(number) && tell_held(held);
		});
		if (!has_turn && wait_for_turn(number))
			tell_held(held);
		std::lock_guard guard(mutex_);
		turn_ = number + 1;
		turned_.notify_all();
	}

	bool is_over() const { return is_ended_ || workers_.is_stopped(); }

	// False when there will be none.
	bool wait_for_turn(std::size_t number)
	{
		std::unique_lock guard(mutex_);
		turned_.wait(guard, [&] { return turn_ == number || is_over(); });
		return !is_over();
	}

	bool tell_held(std::vector<Held> &held)
	{
		for (const Held &one : held)
			if (!tell(one.before ? &*one.before : nullptr, one.after ? &*one.after : nullptr))
				return false;
		held.clear();
		return true;
	}

	bool tell(const Entry *before, const Entry *after)
	{
		if (!is_ended_ && !differs_(before, after))
			end_all();
		return !is_over();
	}

	void end_all()
	{
		std::lock_guard guard(mutex_);
		is_ended_ = true;
		turned_.notify_all();
	}

	Store &store_;
	const TreeRoot &before_, &after_;
	std::vector<std::string> ends_;
	const PathDiff::Differs &differs_;
	std::atomic<std::size_t> next_ = 0;
	std::atomic<bool> is_ended_ = false;
	std::mutex mutex_;
	std::condition_variable turned_;
	std::size_t turn_ = 0; // the range that is told now; under the mutex
	Workers workers_{[this] { end_all(); }};
};

void diff_whole_states(Store &store, const TreeRoot &before, const TreeRoot &after, const PathDiff::Differs &differs)
{
	if (before.id == after.id)
		return;
	KeptNodes nodes(store, kept_by_thread);
	const std::size_t threads = std::min(usable_cores(), most_threads);
	if (threads > 1 && after.leaves.value_or(0) >= least_leaves) {
		std::vector<std::string> ends = range_ends(nodes, after);
		if (ends.size() > 1) {
			WholeDiff(store, before, after, std::move(ends), differs).run(threads);
			return;
		}
	}
	PathDiff(nodes).each(before, after, "", differs);
}

} // namespace dig
