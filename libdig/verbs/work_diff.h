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
	// Only where they are asked for: the content is the same, and the mode differs, or only the time.
	// Else they are modified, too, as the lists for scripts have it.
	mode_changed = 'm', time_changed = 't'
};

enum class Detail : bool { as_listed, apart };

using DifferenceFound = std::function<void(Difference, const std::string &path)>;

struct WorkDiffOptions {
	bool minds_times = true; // a file with another time is modified, whatever is in it
	Detail detail = Detail::as_listed;
};

// Work tree against index, below the paths (normalised; none for all), in the order of paths but
// for files that only a reading can tell about, which come last.  Untracked directories are one
// path with a '/' behind it.  To tell differences apart, files of up to 16 MiB are read whose size
// is the same; of larger ones a new time counts as modified.
void diff_work(Store &store, const Index &index, const std::vector<std::string> &paths,
	const DifferenceFound &found, const WorkDiffOptions &options = {});

// What is staged, against the newest state.
void diff_index(Store &store, const Index &index, const DifferenceFound &found,
	Detail detail = Detail::as_listed);

// The index as it should be for the newest state.  Brings it up to date on disk where that is
// needed and possible; takes no lock and writes nothing where it is current.
Index current_index(Store &store);

Difference difference_of(const Entry &before, const Entry &after, Detail detail = Detail::as_listed);

} // namespace dig

#endif
