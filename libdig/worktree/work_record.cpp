// Text, so that a script can read and write records.  The path stands last and as it is, because it
// may hold everything but NUL, which ends a record in a pipe.
//
// A pipe that ends says nothing about why.  So the last record counts the others: a walk that was
// killed leaves no such record, and what it did not show is not taken for deleted.  'A' tells that
// the walk has failed and has given the reason, so its reader need not guess one.
#include "libdig/worktree/work_record.h"

#include <algorithm>
#include <charconv>

#include "libdig/base/error.h"
#include "libdig/base/path.h"

namespace dig {

static void append_number(std::string &text, std::int64_t number, int base = 10)
{
	char digits[24];
	const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
	text += ' ';
	text.append(digits, end);
}

void append_text(std::string &text, const WorkRecord &record)
{
	text += static_cast<char>(record.type);
	switch (record.type) {
	case WorkRecord::Type::file:
	case WorkRecord::Type::symlink:
	case WorkRecord::Type::directory:
		append_number(text, record.stat.mode, 8);
		if (record.type != WorkRecord::Type::directory)
			append_number(text, static_cast<std::int64_t>(record.stat.size));
		append_number(text, record.stat.mtime_ns);
		append_number(text, record.stat.ctime_ns);
		append_number(text, static_cast<std::int64_t>(record.stat.inode));
		append_number(text, static_cast<std::int64_t>(record.stat.device));
		break;
	case WorkRecord::Type::skipped: (text += ' ') += record.kind; break;
	case WorkRecord::Type::failed: append_number(text, record.error); break;
	case WorkRecord::Type::end:
		append_number(text, static_cast<std::int64_t>(record.count));
		return;
	case WorkRecord::Type::aborted: return;
	default: break;
	}
	text += '\t';
	text += record.path;
}

std::string to_text(const WorkRecord &record)
{
	std::string text;
	append_text(text, record);
	return text;
}

static Error malformed(std::string_view text)
{
	return Error("no record of dig-ls-work: " + quote(text.substr(0, 200)));
}

// Takes " number" off the front.
static std::int64_t take_number(std::string_view &fields, std::string_view text, int base = 10)
{
	std::int64_t number = 0;
	if (!fields.empty() && fields[0] == ' ') {
		fields.remove_prefix(1);
		const auto [end, error] =
			std::from_chars(fields.data(), fields.data() + fields.size(), number, base);
		if (error == std::errc()) {
			fields.remove_prefix(static_cast<std::size_t>(end - fields.data()));
			return number;
		}
	}
	throw malformed(text);
}

// The fields of what is present.
static FileStat take_stat(std::string_view &fields, std::string_view text, WorkRecord::Type type)
{
	FileStat stat;
	stat.type = type == WorkRecord::Type::file ? FileType::regular
		: type == WorkRecord::Type::symlink ? FileType::symlink : FileType::directory;
	stat.mode = static_cast<std::uint16_t>(take_number(fields, text, 8) & 07777);
	if (type != WorkRecord::Type::directory)
		stat.size = static_cast<std::uint64_t>(take_number(fields, text));
	stat.mtime_ns = take_number(fields, text);
	stat.ctime_ns = take_number(fields, text);
	stat.inode = static_cast<std::uint64_t>(take_number(fields, text));
	stat.device = static_cast<std::uint64_t>(take_number(fields, text));
	return stat;
}

WorkRecord parse_work_record(std::string_view text)
{
	WorkRecord record;
	parse_work_record(text, record);
	return record;
}

void parse_work_record(std::string_view text, WorkRecord &record)
{
	if (text.empty())
		throw malformed(text);
	record.clear();
	record.type = static_cast<WorkRecord::Type>(text[0]);
	const std::size_t tab = std::min(text.find('\t'), text.size());
	std::string_view fields = text.substr(1, tab - 1);
	bool has_path = true;
	switch (record.type) {
	case WorkRecord::Type::file:
	case WorkRecord::Type::symlink:
	case WorkRecord::Type::directory: record.stat = take_stat(fields, text, record.type); break;
	case WorkRecord::Type::failed: record.error = static_cast<int>(take_number(fields, text)); break;
	case WorkRecord::Type::skipped:
		if (fields.empty())
			throw malformed(text);
		record.kind = fields.substr(1);
		fields = {};
		break;
	case WorkRecord::Type::end:
		record.count = static_cast<std::uint64_t>(take_number(fields, text));
		has_path = false;
		break;
	case WorkRecord::Type::aborted: has_path = false; break;
	case WorkRecord::Type::scope:
	case WorkRecord::Type::ignored:
	case WorkRecord::Type::missing: break;
	default: throw malformed(text);
	}
	// A field too many or too few is an error as well, and not a path that looks odd.
	if (!fields.empty() || has_path != (tab < text.size()))
		throw malformed(text);
	if (has_path)
		record.path = text.substr(tab + 1);
	// What is present becomes an entry; other paths are only told.
	if (const std::string_view problem = path_problem(record.path); record.is_present() && !problem.empty())
		throw Error(quote(record.path) + " cannot be stored: " + std::string(problem));
}

static WorkRecord::Type type_of(FileType type)
{
	switch (type) {
	case FileType::regular: return WorkRecord::Type::file;
	case FileType::symlink: return WorkRecord::Type::symlink;
	case FileType::directory: return WorkRecord::Type::directory;
	default: return WorkRecord::Type::skipped;
	}
}

void WorkRecord::clear()
{
	type = Type::end;
	path.clear();
	stat = {};
	kind.clear();
	error = 0;
	count = 0;
}

void WorkRecord::describe(std::string_view at, const FileStat &found)
{
	clear();
	type = type_of(found.type);
	path = at;
	stat = found;
	if (type == Type::directory)
		stat.size = 0; // its meaning is up to the file system
	if (type == Type::skipped)
		kind = found.type == FileType::fifo ? "fifo" : found.type == FileType::socket ? "socket" : "device";
}

WorkRecord work_record_of(std::string_view path, const FileStat &stat)
{
	WorkRecord record;
	record.describe(path, stat);
	return record;
}

std::optional<WorkRecord> find_work_record(const File &root, const std::string &path)
{
	const std::optional<FileStat> stat = find_stat_beneath(root, path);
	return stat ? std::optional(work_record_of(path, *stat)) : std::nullopt;
}

bool may_have_file(const File &root, const Entry &entry)
{
	try {
		const std::optional<WorkRecord> found = find_work_record(root, entry.path);
		if (!found || found->type == WorkRecord::Type::skipped)
			return false;
		return entry.kind == EntryKind::empty_directory || found->type != WorkRecord::Type::directory;
	} catch (const SystemError &) {
		return true;
	}
}

} // namespace dig
