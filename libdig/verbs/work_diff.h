// What differs between work tree and index, and between index and a state.
#ifndef DIG_WORK_DIFF_H
#define DIG_WORK_DIFF_H

#include <functional>

#include "libdig/verbs/stage.h"

namespace dig {

enum class Difference : char {
	added = 'A', modified = 'M', deleted = 'D', type_changed = 'T', untracked = '?', failed = 'F',
	skipped = 'P', // a store of its own, or neither file, symlink nor directory
	no_file = 'N', // tracked, but it never had a file in the work tree, and there is none now
	// The content is the same, and the mode differs, or only the time.  With Detail::as_listed, as
	// lists for scripts have it, these are modified, too.
	mode_changed = 'm', time_changed = 't'
};

enum class Detail : bool { as_listed, apart };

using DifferenceFound = std::function<void(Difference, const std::string &path)>;

struct WorkDiffOptions {
	bool minds_times = true; // a file with another time is modified, whatever is in it
	Detail detail = Detail::as_listed;
};

// Work tree against index, at and below the paths (normalised; none for all).  Differences come in the
// order of paths; those that only a reading can show come last.  An untracked directory is one path
// with a '/' behind it.  To tell differences apart, files of up to 16 MiB whose size is the same are
// read; a larger file with another time counts as modified.
void diff_work(Store &store, const Index &index, const std::vector<std::string> &paths,
	const DifferenceFound &found, const WorkDiffOptions &options = {});

// What is staged, against the newest state.
void diff_index(Store &store, const Index &index, const DifferenceFound &found,
	Detail detail = Detail::as_listed);

// The index, brought up to the newest state on disk if it is not.  Takes no lock and writes nothing
// where it is current, nor where the store cannot be written.
Index current_index(Store &store);

Difference difference_of(const Entry &before, const Entry &after, Detail detail = Detail::as_listed);

} // namespace dig

#endif
