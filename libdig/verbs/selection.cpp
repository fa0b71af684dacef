#include "libdig/verbs/selection.h"

#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/base/path_walk.h"
#include "libdig/os/process.h"
#include "libdig/verbs/near_paths.h"

namespace dig {

static std::vector<std::string> without_covered(std::vector<std::string> paths)
{
	std::sort(paths.begin(), paths.end());
	std::vector<std::string> kept;
	for (std::string &path : paths) {
		// All that were kept are looked at: in "a", "a-b", "a/c" the one that covers the last is
		// not the one before it.
		const bool is_covered = std::any_of(kept.begin(), kept.end(),
			[&](const std::string &above) { return is_within(path, above); });
		if (!is_covered)
			kept.push_back(std::move(path));
	}
	if (kept.empty())
		kept.emplace_back();
	return kept;
}

Selection::Selection(Store &store, const TreeRoot &manifest, std::vector<std::string> paths, std::string state)
	: store_(store), manifest_(manifest), paths_(without_covered(std::move(paths))), state_(std::move(state))
{
}

void Selection::walk(const std::function<void(const Entry &)> &each) const
{
	for (const std::string &path : paths_) {
		bool has_any = path.empty();
		std::string before;
		each_within(TreeCursor(TreeKind::manifest, manifest_, store_.nodes()), path, [&](TreeCursor &at) {
			check_interrupted();
			const Entry entry = at.entry();
			if (entry.path <= before)
				throw CorruptError("the manifest " + to_hex(manifest_.id) + " is not in order at " +
					quote(entry.path));
			each(entry);
			before = entry.path;
			has_any = true;
		});
		if (!has_any)
			throw Error(quote(path) + " is not in " + state_ +
				did_you_mean_path(manifest_, store_.nodes(), path));
	}
}

// In the order of bytes, "a-b" comes between "a" and "a/b", so an entry and what lies below it need
// not be neighbours.  above_ is a stack of the entries whose paths the last path begins with; an
// entry stays in it as long as something below it may follow.  It never has more entries than a
// path has bytes.
void ConflictCheck::add(const Entry &entry)
{
	const std::string &path = entry.path;
	// What may still come below an entry begins with its path, and so does all between.
	const std::size_t common = static_cast<std::size_t>(
		std::mismatch(path.begin(), path.end(), last_.begin(), last_.end()).first - path.begin());
	while (!above_.empty() && above_.back() > common)
		above_.pop_back();
	for (const std::size_t size : above_)
		if (path[size] == '/')
			throw CorruptError("the state has " + quote(path.substr(0, size)) + " as a file and " +
				quote(path) + " below it");
	if (entry.kind != EntryKind::empty_directory)
		above_.push_back(path.size());
	last_ = path;
}

} // namespace dig
