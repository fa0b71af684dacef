#include "libdig/verbs/indexed_walk.h"

#include <cstring>

#include "libdig/base/error.h"
#include "libdig/base/path_walk.h"
#include "libdig/os/directory.h"

namespace dig {

IndexedWalk::IndexedWalk(const File &root, const Index &index, bool removes, Visitor &visitor)
	: root_(root), removes_(removes), visitor_(visitor), known_(index.cursor()), beside_(index.cursor())
{
}

void IndexedWalk::take(const WorkRecord &record)
{
	switch (record.type) {
	case WorkRecord::Type::scope: known_.add_scope(record.path == "." ? "" : record.path); return;
	case WorkRecord::Type::end: pass_over({}); return;
	case WorkRecord::Type::aborted: return;
	case WorkRecord::Type::failed: failed(record); return;
	// Its removal comes about as what follows passes over it.
	case WorkRecord::Type::missing: visitor_.missing(record.path); return;
	case WorkRecord::Type::ignored: pass_over(record.path); return;
	case WorkRecord::Type::skipped:
		pass_over(record.path);
		visitor_.skipped(record);
		return;
	default: present(record);
	}
}

void IndexedWalk::pass_over(std::optional<std::string_view> path)
{
	known_.pass_over(path, [&](const IndexRecord &record) { look_at(record); });
}

void IndexedWalk::present(const WorkRecord &record)
{
	if (record.type == WorkRecord::Type::directory) {
		// An empty directory comes where its content would, behind its own record in the index,
		// which was looked at.
		pass_over(record.path + "/");
		if (is_new_directory(record.path))
			visitor_.present(record, nullptr);
		return;
	}
	pass_over(record.path);
	visitor_.present(record, known_.current(record.path));
	known_.skip(record.path);
}

void IndexedWalk::failed(const WorkRecord &record)
{
	pass_over(record.path);
	const bool is_directory = record.path.ends_with('/');
	failed_ = is_directory ? record.path.substr(0, record.path.size() - 1) : record.path;
	const std::string_view problem = path_problem(failed_);
	visitor_.failed(failed_, problem.empty() ? "cannot read " + quote(failed_) + ": " + std::strerror(record.error)
		: quote(failed_) + " cannot be stored: " + std::string(problem));
	known_.skip_within(failed_);
}

// A path that the walk did not show.
void IndexedWalk::look_at(const IndexRecord &record)
{
	const std::string &path = record.entry.path;
	if (!failed_.empty() && is_within(path, failed_))
		return;
	try {
		const std::optional<WorkRecord> found = find_work_record(root_, path);
		if (found && is_whole_entry(*found))
			visitor_.present(*found, &record);
		else
			visitor_.absent(record, found ? &*found : nullptr);
	} catch (const SystemError &error) {
		visitor_.failed(path, error.what());
	}
}

// Whether the index speaks neither of an empty directory, whose record was looked at, nor of
// something below it that stays.  That is what never had a file and, unless removals are asked for,
// what is gone.
bool IndexedWalk::is_new_directory(const std::string &path)
{
	beside_.seek(path);
	if (beside_.current() && beside_.current()->entry.path == path && !beside_.current()->is_removed)
		return false;
	bool stays = false;
	each_below(beside_, path, [&](const IndexCursor &at) {
		stays = !at.current()->is_removed && (at.current()->has_no_file || !removes_);
		return !stays;
	});
	return !stays;
}

// Whether what was found at the path of a record takes its place: a file, a symlink, or a directory
// with nothing in it.
bool IndexedWalk::is_whole_entry(const WorkRecord &found) const
{
	if (found.type == WorkRecord::Type::directory)
		return is_empty_directory(open_beneath(root_, found.path, O_RDONLY | O_DIRECTORY));
	return found.type == WorkRecord::Type::file || found.type == WorkRecord::Type::symlink;
}

} // namespace dig
