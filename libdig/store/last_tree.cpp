#include "libdig/store/last_tree.h"

#include <mutex>
#include <set>

#include "libdig/watch/progress.h"

namespace dig {

// The generation before that has content, or 0.
static std::uint64_t generation_before(Store &store, std::uint64_t generation)
{
	do
		generation--;
	while (generation > 0 && store.layer_table()->is_dropped(generation));
	return generation;
}

// Once for the two states.
static void tell(std::uint64_t newest, std::uint64_t used, const std::string &why)
{
	static std::mutex mutex;
	static std::set<std::pair<std::uint64_t, std::uint64_t>> told;
	std::lock_guard guard(mutex);
	if (told.emplace(newest, used).second)
		give_notice("the list of files of @" + std::to_string(newest) + " cannot be read: " + why +
			"; go on from @" + std::to_string(used) + "; 'dig check' tells what is lost");
}

LastTree::LastTree(Store &store) : store_(store), generation_(store.roots().size()) {}

std::optional<Entry> LastTree::find(const std::string &path)
{
	std::string why;
	const std::uint64_t first = generation_;
	for (;;) {
		try {
			if (!cursor_)
				cursor_.emplace(TreeKind::manifest, store_.manifest(generation_), store_.nodes());
			cursor_->seek(path);
			if (generation_ != first)
				tell(first, generation_, why);
			return cursor_->at_end() || cursor_->path() != path ? std::nullopt : std::optional(cursor_->entry());
		} catch (const CorruptError &error) {
			if (generation_ == 0)
				throw;
			if (why.empty())
				why = error.what();
			cursor_.reset();
			generation_ = generation_before(store_, generation_);
		}
	}
}

std::uint64_t with_last_tree(Store &store, const std::function<void(const TreeRoot &)> &action)
{
	const std::uint64_t newest = store.roots().size();
	std::string why;
	for (std::uint64_t generation = newest;; generation = generation_before(store, generation)) {
		try {
			action(store.manifest(generation));
			if (generation != newest)
				tell(newest, generation, why);
			return generation;
		} catch (const CorruptError &error) {
			if (generation == 0)
				throw;
			if (why.empty())
				why = error.what();
		}
	}
}

} // namespace dig
