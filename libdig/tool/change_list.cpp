#include "libdig/tool/change_list.h"

#include <cstdio>

#include "libdig/base/byte_size.h"
#include "libdig/base/json_text.h"
#include "libdig/os/clock.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/report.h"
#include "libdig/tool/time_text.h"

namespace dig {

constexpr std::size_t size_width = 12;

static const char *name_of_kind(const Entry &entry)
{
	switch (entry.kind) {
	case EntryKind::file: return "file";
	case EntryKind::symlink: return "symlink";
	case EntryKind::empty_directory: return "directory";
	}
	return "unknown";
}

// What a comparison of two entries of one path tells, each by itself.
struct ChangedParts {
	ChangedParts(const Entry &before, const Entry &after)
		: kind(before.kind != after.kind),
		  content(before.size != after.size || before.file_root() != after.file_root()),
		  mode(before.mode != after.mode), time(before.mtime_ns != after.mtime_ns),
		  attributes(before.attributes != after.attributes)
	{
	}
	bool kind, content, mode, time, attributes;
};

static Difference difference_between(const Entry *before, const Entry *after, Detail detail)
{
	return !before ? Difference::added : !after ? Difference::deleted : difference_of(*before, *after, detail);
}

void ChangeList::add(const Entry *before, const Entry *after)
{
	const Difference difference = difference_between(before, after, look_.detail);
	count_++;
	counts_[difference]++;
	bytes_before_ += before ? before->size : 0;
	bytes_after_ += after ? after->size : 0;
	switch (look_.form) {
	case Form::none: return;
	case Form::names:
		out_.write(std::string(1, static_cast<char>(difference)) + '\t');
		out_.record_path((after ? after : before)->path);
		return;
	case Form::stat: add_stat(difference, before, after); return;
	case Form::json: out_.record("{\"schema\":1," + json(before, after) + "}"); return;
	}
}

std::string ChangeList::size(std::uint64_t bytes) const
{
	return look_.is_exact ? std::to_string(bytes) : size_text(static_cast<double>(bytes));
}

static std::string mode_digits(const Entry &entry)
{
	char text[8];
	std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(entry.mode));
	return text;
}

static std::string shown_time(const Entry &entry)
{
	return entry.mtime_ns ? time_text(seconds_of(*entry.mtime_ns)) : "none";
}

// In parentheses; of the time only where nothing else has changed, since it changes with all content.
static std::string note_of(const Entry &before, const Entry &after)
{
	const ChangedParts changed(before, after);
	if (changed.kind)
		return std::string(name_of_kind(before)) + " -> " + name_of_kind(after);
	std::string note;
	if (changed.mode)
		note = "mode " + mode_digits(before) + " -> " + mode_digits(after);
	if (changed.time && !changed.content)
		note += (note.empty() ? "time " : ", time ") + shown_time(before) + " -> " + shown_time(after);
	return note;
}

void ChangeList::add_stat(Difference difference, const Entry *before, const Entry *after)
{
	out_.write(look_.indent + static_cast<char>(difference));
	for (const Entry *side : {before, after}) {
		const std::string text = side ? size(side->size) : "-";
		out_.write(std::string(text.size() < size_width ? size_width + 1 - text.size() : 1, ' ') + text);
	}
	out_.write("  ");
	out_.path((after ? after : before)->path);
	const std::string note = before && after ? note_of(*before, *after) : "";
	out_.record(note.empty() ? "" : "  (" + note + ")");
}

void ChangeList::finish()
{
	if (look_.form != Form::stat || is_empty())
		return;
	std::string text = look_.indent + counted(count_, "path") + ":";
	const char *separator = " ";
	for (const auto &[difference, name] : {std::pair(Difference::added, "added"),
		std::pair(Difference::deleted, "deleted"), std::pair(Difference::modified, "modified"),
		std::pair(Difference::type_changed, "of another kind"),
		std::pair(Difference::mode_changed, "with another mode"),
		std::pair(Difference::time_changed, "with another time")})
		if (const auto found = counts_.find(difference); found != counts_.end()) {
			text += separator + std::to_string(found->second) + ' ' + name;
			separator = ", ";
		}
	out_.record(text + "; " + size(bytes_after_) + ", was " + size(bytes_before_));
}

static std::string side_json(const Entry *entry)
{
	if (!entry)
		return "null";
	return "{\"kind\":\"" + std::string(name_of_kind(*entry)) + "\",\"mode\":\"" + mode_text(*entry) + "\",\"size\":" +
		std::to_string(entry->size) + ",\"mtime_ns\":" +
		(entry->mtime_ns ? std::to_string(*entry->mtime_ns) : "null") + "}";
}

std::string ChangeList::json(const Entry *before, const Entry *after)
{
	const Difference difference = difference_between(before, after, Detail::apart);
	std::string changed;
	if (before && after) {
		const ChangedParts parts(*before, *after);
		for (const auto &[has_changed, name] : {std::pair(parts.kind, "kind"), std::pair(parts.content, "content"),
			std::pair(parts.mode, "mode"), std::pair(parts.time, "time"), std::pair(parts.attributes, "attributes")})
			if (has_changed)
				changed += (changed.empty() ? "\"" : ",\"") + std::string(name) + '"';
	}
	return "\"status\":\"" + std::string(1, static_cast<char>(difference)) + "\"," +
		json_field("path", (after ? after : before)->path) + ",\"changed\":[" + changed + "],\"old\":" +
		side_json(before) + ",\"new\":" + side_json(after);
}

} // namespace dig
