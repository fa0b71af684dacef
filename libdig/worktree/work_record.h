// What a walk tells of a work tree, and how it passes through a pipe: dig-ls-work writes these
// records, dig-update-index reads them.
#ifndef DIG_WORK_RECORD_H
#define DIG_WORK_RECORD_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/format/entry.h"
#include "libdig/os/beneath.h"

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
	FileStat stat;           // of what is present; the size of a directory is 0
	std::string kind;        // of what was skipped
	int error = 0;           // of what failed
	std::uint64_t count = 0; // at the end

	// As if new, with the memory of its texts.
	void clear();
	// What stat says lies at a path.  Neither file, symlink nor directory is skipped.  A directory may
	// have something in it.
	void describe(std::string_view at, const FileStat &found);
	bool is_present() const
	{
		return type == Type::file || type == Type::symlink || type == Type::directory;
	}
	// Of what is present.
	EntryKind entry_kind() const
	{
		return type == Type::file ? EntryKind::file
			: type == Type::symlink ? EntryKind::symlink : EntryKind::empty_directory;
	}
};

std::string to_text(const WorkRecord &record);
// Without an allocation where text has room.
void append_text(std::string &text, const WorkRecord &record);
// Error for a text that is no record.
WorkRecord parse_work_record(std::string_view text);
// The same, into a record that was used before: its memory is used again.
void parse_work_record(std::string_view text, WorkRecord &record);

WorkRecord work_record_of(std::string_view path, const FileStat &stat);
// The record of what lies at a path; nothing where nothing does.
std::optional<WorkRecord> find_work_record(const File &root, const std::string &path);

// Whether something that could be the entry lies at its path.  True where that cannot be looked at.
bool may_have_file(const File &root, const Entry &entry);

} // namespace dig

#endif
