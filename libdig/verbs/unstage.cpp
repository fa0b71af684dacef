// A path that was staged gets what the newest state has there, which may be nothing.  That can be in
// conflict with something else that is staged: a file was replaced by a directory, and only the file is
// to come back.  Then what lies in its way is dropped, too.
//
// Content is not taken out of the pack here.  When nothing at all is staged any more, the pack is
// dropped; else a sweep removes the blocks that no entry needs.
#include "libdig/verbs/unstage.h"

#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/staging/reconcile.h"
#include "libdig/staging/staging.h"
#include "libdig/store/last_tree.h"

namespace dig {

std::uint64_t unstage(Store &store, const std::vector<std::string> &paths)
{
	StagingWriter writer(store);
	reconcile_index(store, writer);
	const Index index = Index::open(writer.directory());
	LastTree state(store);
	IndexUpdate update(writer.directory());
	DisplacedRecords displaced(index.cursor());
	std::uint64_t count = 0;
	bool is_all = true;
	for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
		const IndexRecord &staged = *at.current();
		if (!index.is_staged(staged))
			continue;
		const bool is_wanted = paths.empty() || std::any_of(paths.begin(), paths.end(),
			[&](const std::string &path) { return is_within(staged.entry.path, path); });
		if (!is_wanted) {
			is_all = false;
			continue;
		}
		count++;
		const std::optional<Entry> committed = state.find(staged.entry.path);
		IndexRecord record;
		record.entry.path = staged.entry.path;
		record.is_removed = !committed;
		record.has_no_file = staged.has_no_file;
		if (committed) {
			record.entry = *committed;
			// What was staged in its way.
			displaced.find(record.entry.path, [&](const IndexRecord &other) {
				IndexRecord dropped;
				dropped.entry.path = other.entry.path;
				dropped.is_removed = true;
				update.put(dropped);
			});
		}
		update.put(record);
	}
	if (count > 0)
		writer.finish(update, [](IndexState &index_state) { index_state.has_dropped = true; });
	if (is_all)
		writer.drop_pack();
	return count;
}

} // namespace dig
