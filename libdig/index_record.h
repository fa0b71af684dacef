// What the staging area knows of one path.
#ifndef DIG_INDEX_RECORD_H
#define DIG_INDEX_RECORD_H

#include "libdig/entry.h"
#include "libdig/file.h"

namespace dig {

struct IndexRecord {
	Entry entry; // of a removed path, only the path
	bool is_removed = false;
	bool is_by_reference = false; // content is still only in the work tree
	bool has_stat = false;
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
	// The path, too.
	void encode(Buffer &out) const;
	static IndexRecord decode(Cursor &cursor);
};

// How sure stat makes us that a file is what the record says.
enum class StatAnswer { same, differs, unknown };
// unknown: stat agrees, but the file was so fresh when it was read that it may have changed since
// without a trace (the racy rule): times must be at least margin_ns older than the reading.
StatAnswer compare_stat(const IndexRecord &record, const FileStat &stat, std::int64_t margin_ns);
constexpr std::int64_t fine_clock_margin_ns = 20'000'000, coarse_clock_margin_ns = 2'000'000'000;

} // namespace dig

#endif
