// Walks a work tree in the order of paths and says what is there, as records that pass through
// a pipe: dig-ls-work writes them, dig-update-index reads them.
#ifndef DIG_WORKTREE_H
#define DIG_WORKTREE_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/os/beneath.h"
#include "libdig/worktree/ignore.h"

namespace dig {

// One record, as text: a letter, fields between blanks, and, where there is one, TAB and path.
//
//     S TAB path                    scope: this path and all below were asked for ("." for all)
//     F mode size mtime ctime inode device TAB path        a regular file
//     L mode size mtime ctime inode device TAB path        a symlink
//     D mode mtime ctime inode device TAB path             an empty directory
//     P kind TAB path               skipped: fifo, socket, device, store
//     I TAB path                    ignored, with all below
//     X errno TAB path              failed; of a directory, with a '/' behind its path
//     M TAB path                    asked for, and not there
//     E count                       the end: so many records came before
//     A                             aborted: the walk has failed, and said why
//
// Modes are octal, times nanoseconds since 1970.  Scopes come first; the rest is in the order
// of memcmp over paths (a directory's with its '/').
struct WorkRecord {
	enum class Type : char {
		scope = 'S', file = 'F', symlink = 'L', directory = 'D', skipped = 'P', ignored = 'I',
		failed = 'X', missing = 'M', end = 'E', aborted = 'A'
	};
	Type type = Type::end;
	std::string path;
	FileStat stat;             // of what is present
	std::string kind;          // of what was skipped
	int error = 0;             // of what failed
	std::uint64_t count = 0;   // at the end

	bool is_present() const
	{
		return type == Type::file || type == Type::symlink || type == Type::directory;
	}
};

std::string to_text(const WorkRecord &record);
// Error for a text that is no record.
WorkRecord parse_work_record(std::string_view text);

// What lies at a path, without its content; nothing where nothing does.  A directory may have
// something in it, and a record that is skipped has no kind.
std::optional<WorkRecord> find_work_record(const File &root, const std::string &path);

struct WalkOptions {
	bool takes_ignored = false;
};

// Walks what lies at the paths below root (normalised, "" for all of it), each thing once.
// Failures are records, too.  named_ignored collects paths that were asked for by name and are
// ignored, whether they are in the index or not.
void walk_work_tree(const File &root, std::vector<std::string> paths, const WalkOptions &options,
	const std::function<void(const WorkRecord &)> &found, std::vector<std::string> &named_ignored);

// The content of the .digignore in a directory, if it has one that is a regular file.
std::optional<Buffer> read_ignore_file(const File &directory, std::string_view path);

} // namespace dig

#endif
