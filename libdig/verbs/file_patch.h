// A file of one state becomes that of another: which ranges differ, and a copy that gets them.
//
//     copy ─► compared with the old chunk list ─► a new file beside it   ─► compared with the new ─► renamed
//                                                 shared or copied parts,     chunk list
//                                                 moved parts of the copy,
//                                                 replaced ones of the store
//
// In place, all ranges come from the store, since what has moved may be overwritten before it is read.
#ifndef DIG_FILE_PATCH_H
#define DIG_FILE_PATCH_H

#include "libdig/format/range_diff.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// A file in a state; an Error where it has none of that name.
struct StatedFile {
	StatedFile(Store &store, const std::string &state, const std::string &path);

	std::string shown; // 'PATH' of STATE
	Entry entry;
};

// As diff_chunk_lists().
void diff_files(Store &store, const Entry &before, const Entry &after,
	const std::function<void(const ChangedRange &)> &found);

struct PatchOptions {
	bool in_place = false; // write into the file, and do not make a new one
	bool resume = false;   // the file may have been written in part, in place
	Work *work = &unseen_work(); // stages: check, write, verify
};

// False if the file has the new content already.  The file is an Error (exit_status::unproved) before
// anything is written if its content is not the old one; with resume, if a part of it is wrong that no
// range covers.  Symbolic links are followed; the file keeps mode and owner.  Takes constant memory.  When
// it returns, the new content is durable.  If the process ends before, the file is as it was; in place, it
// can be resumed.
bool patch_file(Store &store, const StatedFile &before, const StatedFile &after, const std::string &file,
	const PatchOptions &options);

} // namespace dig

#endif
