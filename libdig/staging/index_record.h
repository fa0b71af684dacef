// What the staging area knows of one path.
#ifndef DIG_INDEX_RECORD_H
#define DIG_INDEX_RECORD_H

#include "libdig/format/entry.h"
#include "libdig/os/file.h"

namespace dig {

struct IndexRecord {
	Entry entry; // of a removed path, only the path
	bool is_removed = false;
	bool is_by_reference = false; // content is still only in the work tree
	bool has_stat = false;
	// Content that came as a stream or by its root, when nothing lay at its path in the work tree: that
	// nothing lies there later says nothing, either.  Of a removed path, what it had been.
	bool has_no_file = false;
	// What stat said when the content was taken, and when its reading began.
	std::uint64_t inode = 0, device = 0, stat_size = 0;
	std::int64_t stat_mtime_ns = 0, ctime_ns = 0, read_began_ns = 0;
	std::uint16_t stat_mode = 0;
	// Records with a sequence above the committed one are staged.
	std::uint64_t sequence = 0;

	void set_stat(const FileStat &stat, std::int64_t read_began);
	// Everything but the path.
	void encode_rest(Buffer &out) const;
	void decode_rest(Cursor &cursor);
	// CorruptError for a path that no store may hold.  All before begin was in a path that passed.
	static void check_path(const Cursor &cursor, std::string_view path, std::size_t begin = 0);
	// The path, too.
	void encode(Buffer &out) const;
	static IndexRecord decode(Cursor &cursor);
};

// Two changes within a margin may leave the same time (the racy rule).  The kernel's tick is 10 ms
// at most; FAT counts in 2 s.
constexpr std::int64_t fine_clock_margin_ns = 20'000'000, coarse_clock_margin_ns = 2'020'000'000;

// Whether stat proves that nothing has changed since the reading of which the record tells began:
// all is alike, and both times lie so long before that beginning that no later change could have
// left them.  A time that is a multiple of a coarse unit is taken to be cut to it, whatever
// margin_ns says.
bool is_untouched(const IndexRecord &record, const FileStat &stat, std::int64_t margin_ns);

// How sure stat makes us that a file is what the record says; unknown: only reading tells.
enum class StatAnswer { same, differs, unknown };
StatAnswer compare_stat(const IndexRecord &record, const FileStat &stat, std::int64_t margin_ns);

} // namespace dig

#endif
