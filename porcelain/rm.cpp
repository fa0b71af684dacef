#include <cerrno>
#include <cstring>

#include "libdig/base/byte_size.h"
#include "libdig/base/path_walk.h"
#include "libdig/store/last_tree.h"
#include "libdig/store/reserve.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-rm [-f] [--cached] PATH...";

// What speaks against the removal of paths: the first of them, and how many there are.
class Objections {
public:
	explicit Objections(std::string what) : what_(std::move(what)) {}

	void add(const std::string &path)
	{
		if (count_++ < most_named)
			names_ += (names_.empty() ? "" : ", ") + quote(path);
	}
	void add_to(std::string &text) const
	{
		if (count_ == 0)
			return;
		text += (text.empty() ? "" : "; ") + names_;
		if (count_ > most_named)
			text += " and " + std::to_string(count_ - most_named) + " more";
		text += ": " + what_;
	}

private:
	static constexpr std::size_t most_named = 10;
	std::string what_, names_;
	std::size_t count_ = 0;
};

class Removal {
public:
	Removal(Store &store, bool is_forced, bool is_cached)
		: store_(store), stage_(store, {}),
		  root_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY)),
		  is_forced_(is_forced), is_cached_(is_cached)
	{
	}

	void require_tracked(const std::string &path, const std::string &typed)
	{
		bool is_tracked = false;
		for_each_within(path, [&](const IndexRecord &) { is_tracked = true; });
		if (!is_tracked)
			throw Error(quote(typed) + " is not in the index" + did_you_mean_path(stage_.index(), path));
	}

	// Throws when something would be lost that is nowhere else, or cannot be removed.
	void check(const std::vector<std::string> &paths)
	{
		if (!is_forced_)
			find_changes(paths);
		if (!is_cached_)
			for (const std::string &path : paths)
				for_each_within(path, [&](const IndexRecord &record) { check_removable(record.entry); });
		std::string text;
		for (const Objections *each : {&only_copy_, &changed_, &staged_, &in_the_way_, &not_writable_})
			each->add_to(text);
		if (!text.empty())
			throw Error("nothing is removed: " + text);
	}

	// Files first: what cannot be removed after all stays in the index.
	int act(const std::vector<std::string> &paths)
	{
		int status = exit_status::done;
		for (const std::string &path : paths)
			for_each_within(path, [&](const IndexRecord &record) {
				if (is_cached_ || removes_from_work_tree(record.entry)) {
					stage_.remove(record.entry.path);
					count_++;
					bytes_ += record.entry.size;
				} else {
					status = exit_status::partial;
				}
			});
		stage_.finish();
		return status;
	}

	std::string summary() const
	{
		return counted(count_, "file") + " removed, " + size_text(static_cast<double>(bytes_)) +
			(is_cached_ ? ", from the index only" : "");
	}

private:
	void for_each_within(const std::string &path, const std::function<void(const IndexRecord &)> &found)
	{
		each_within(stage_.cursor(), path, [&](const IndexCursor &at) {
			if (!at.current()->is_removed)
				found(*at.current());
		});
	}

	// As git: of what is gone from the work tree nothing is asked.
	void find_changes(const std::vector<std::string> &paths)
	{
		const auto look_at = [&](Difference difference, const std::string &path) {
			if (difference != Difference::modified && difference != Difference::type_changed)
				return;
			const std::optional<IndexRecord> record = stage_.index().find(path);
			if (!record || !is_there(record->entry))
				return;
			if (is_staged_change(*record))
				only_copy_.add(path);
			else if (!is_cached_)
				changed_.add(path);
		};
		diff_work(store_, stage_.index(), paths, look_at, {.minds_times = false});
		if (is_cached_)
			return;
		for (const std::string &path : paths)
			for_each_within(path, [&](const IndexRecord &record) {
				if (stage_.index().is_staged(record) && is_there(record.entry) && is_staged_change(record))
					staged_.add(record.entry.path);
			});
	}

	// Something that would be removed; nothing is lost with an empty directory.
	bool is_there(const Entry &entry) const
	{
		if (entry.kind == EntryKind::empty_directory)
			return false;
		const std::optional<FileStat> stat = find_stat_beneath(root_, entry.path);
		return stat && stat->type != FileType::directory;
	}

	// A time alone is no change.
	bool is_staged_change(const IndexRecord &record)
	{
		if (!stage_.index().is_staged(record))
			return false;
		std::optional<Entry> committed = LastTree(store_).find(record.entry.path);
		if (committed)
			committed->mtime_ns = record.entry.mtime_ns;
		return committed != record.entry;
	}

	void check_removable(const Entry &entry)
	{
		try {
			const Parent parent = open_parent_beneath(root_, entry.path);
			const std::optional<FileStat> stat = find_stat_at(parent.directory.fd(), parent.name);
			if (!stat)
				return;
			if (stat->type == FileType::directory && entry.kind != EntryKind::empty_directory)
				in_the_way_.add(entry.path);
			else if (!may_change(parent.directory))
				not_writable_.add(entry.path);
		} catch (const SystemError &error) {
			if (!is_gone(error))
				not_writable_.add(entry.path);
		}
	}

	// A parent that is a symlink or a file now leads nowhere, either.
	static bool is_gone(const SystemError &error)
	{
		return error.error() == ENOENT || error.error() == ENOTDIR || error.error() == ELOOP;
	}

	// False when it had to stay.
	bool removes_from_work_tree(const Entry &entry)
	{
		const bool is_directory = entry.kind == EntryKind::empty_directory;
		try {
			const Parent parent = open_parent_beneath(root_, entry.path);
			remove_at(parent.directory, parent.name, is_directory);
		} catch (const SystemError &error) {
			// An empty directory may have got something in it, or have been replaced: that is not ours.
			const bool is_not_ours = is_directory && (error.error() == ENOTEMPTY || error.error() == EEXIST);
			if (!is_gone(error) && !is_not_ours) {
				tell("cannot remove " + quote(entry.path) + ": " + std::strerror(error.error()) +
					"; it stays in the index");
				return false;
			}
			return true;
		}
		remove_empty_parents(root_, entry.path, store_.paths().prefix);
		return true;
	}

	Store &store_;
	Stage stage_;
	File root_;
	bool is_forced_, is_cached_;
	std::uint64_t count_ = 0, bytes_ = 0; // removed
	Objections only_copy_{"staged, with content that neither the file nor the newest state has; -f removes it anyway"};
	Objections changed_{"changed since it was added; --cached keeps the file, -f removes it anyway"};
	Objections staged_{"staged and not committed; --cached keeps the file, -f removes it anyway"};
	Objections in_the_way_{"a directory now; --cached removes it from the index"};
	Objections not_writable_{"its directory cannot be changed; --cached removes it from the index"};
};

static int rm(Options &options)
{
	bool force = false, cached = false;
	std::vector<std::string> typed;
	options.flag("force", 'f', force, "also content that is nowhere else")
		.flag("cached", 0, cached, "from the index only")
		.positional(typed, 1)
		.parse();
	int status = exit_status::done;
	const auto act = [&] {
		Store store(get_store());
		Removal removal(store, force, cached);
		std::vector<std::string> paths;
		for (const std::string &path : typed) {
			paths.push_back(stored_path(store.paths(), path));
			removal.require_tracked(paths.back(), path);
		}
		removal.check(paths);
		status = removal.act(paths);
		if (!options.is_quiet())
			tell_summary(removal.summary());
	};
	// A file that is gone from the work tree already is not asked for again.
	with_reserve(get_store(), act);
	return status;
}

int dig_rm_main(int argc, char **argv) { return run(argc, argv, usage, rm); }
