// When stat proves that a file is unchanged.  A file can change twice within one tick of its clock,
// and the second change leaves the times of the first.  git calls such entries racily clean.  So
// times that are alike prove nothing by themselves: both must lie before the reading began, by more
// than the coarsest tick that they may have.  Then a change after the reading would have left later
// ones.
//
// The change time is compared as well, because programs such as tar set the modification time back,
// and the change time cannot be set.  The inode shows that a file was replaced.  The device is
// recorded and not compared: its number may be another one after the next mount.
#include "libdig/staging/index_record.h"

#include <algorithm>

#include "libdig/base/path.h"

namespace dig {

constexpr std::uint8_t removed_flag = 1, by_reference_flag = 2, stat_flag = 4, no_file_flag = 8;

void IndexRecord::set_stat(const FileStat &stat, std::int64_t read_began)
{
	has_stat = true;
	inode = stat.inode;
	device = stat.device;
	stat_size = stat.size;
	stat_mtime_ns = stat.mtime_ns;
	ctime_ns = stat.ctime_ns;
	stat_mode = stat.mode;
	read_began_ns = read_began;
}

void IndexRecord::encode_rest(Buffer &out) const
{
	put_u8(out, static_cast<std::uint8_t>((is_removed ? removed_flag : 0) |
			    (is_by_reference ? by_reference_flag : 0) | (has_stat ? stat_flag : 0) |
			    (has_no_file ? no_file_flag : 0)));
	put_u64(out, sequence);
	if (!is_removed)
		entry.encode_rest(out);
	if (has_stat) {
		put_u64(out, inode);
		put_u64(out, device);
		put_u64(out, stat_size);
		put(out, stat_mtime_ns);
		put(out, ctime_ns);
		put(out, read_began_ns);
		put_u16(out, stat_mode);
	}
}

void IndexRecord::decode_rest(Cursor &cursor)
{
	const std::uint8_t flags = cursor.u8();
	if (flags > 15)
		cursor.fail("a record has unknown flags");
	is_removed = flags & removed_flag;
	is_by_reference = flags & by_reference_flag;
	has_stat = flags & stat_flag;
	has_no_file = flags & no_file_flag;
	sequence = cursor.u64();
	if (!is_removed)
		entry.decode_rest(cursor);
	// A cursor decodes into the same record again and again.
	inode = device = stat_size = 0;
	stat_mtime_ns = ctime_ns = read_began_ns = 0;
	stat_mode = 0;
	if (has_stat) {
		inode = cursor.u64();
		device = cursor.u64();
		stat_size = cursor.u64();
		stat_mtime_ns = cursor.i64();
		ctime_ns = cursor.i64();
		read_began_ns = cursor.i64();
		stat_mode = cursor.u16();
	}
}

void IndexRecord::encode(Buffer &out) const
{
	put_u16(out, static_cast<std::uint16_t>(entry.path.size()));
	append(out, bytes_of(entry.path));
	encode_rest(out);
}

void IndexRecord::check_path(const Cursor &cursor, std::string_view path, std::size_t begin)
{
	// From the component that begin lies in, since it may have become another one.
	const std::size_t slash = begin > 0 ? path.rfind('/', begin - 1) : path.npos;
	std::string_view problem = path_problem(path.substr(slash == path.npos ? 0 : slash + 1));
	if (problem.empty() && path.size() > max_path_size)
		problem = "it is too long";
	if (!problem.empty())
		cursor.fail("the path " + quote(path) + " is not allowed: " + std::string(problem));
}

IndexRecord IndexRecord::decode(Cursor &cursor)
{
	IndexRecord record;
	record.entry.path = text_of(cursor.take(cursor.u16()));
	check_path(cursor, record.entry.path);
	record.decode_rest(cursor);
	return record;
}

// Whole seconds stand for the coarsest unit there is: the even ones could be of FAT, too.
static std::int64_t margin_of_stamp(std::int64_t time_ns, std::int64_t margin_ns)
{
	if (time_ns % 1'000'000'000 == 0)
		return std::max(margin_ns, coarse_clock_margin_ns);
	for (std::int64_t unit = 100'000'000; unit >= 10'000'000; unit /= 10)
		if (time_ns % unit == 0)
			return std::max(margin_ns, fine_clock_margin_ns + unit);
	return margin_ns;
}

bool is_untouched(const IndexRecord &record, const FileStat &stat, std::int64_t margin_ns)
{
	if (!record.has_stat || record.stat_size != stat.size || record.stat_mtime_ns != stat.mtime_ns ||
		record.ctime_ns != stat.ctime_ns || record.inode != stat.inode)
		return false;
	for (const std::int64_t time : {stat.mtime_ns, stat.ctime_ns})
		if (time > record.read_began_ns - margin_of_stamp(time, margin_ns))
			return false;
	return true;
}

StatAnswer compare_stat(const IndexRecord &record, const FileStat &stat, std::int64_t margin_ns)
{
	if (!record.has_stat)
		return StatAnswer::unknown;
	if (record.stat_size != stat.size || record.stat_mtime_ns != stat.mtime_ns ||
		record.stat_mode != stat.mode)
		return StatAnswer::differs;
	return !record.is_removed && is_untouched(record, stat, margin_ns) ? StatAnswer::same
									   : StatAnswer::unknown;
}

} // namespace dig
