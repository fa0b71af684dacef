// How the work tree is compared with the index, nearly without reading.
//
// For most files stat is enough: they are unchanged if size, times and inode are those of the index,
// and changed if the size is another.  What is left has the same size.  Either its mode or time
// differs, or nothing does and stat still proves nothing, because the file was written just when it
// was added.  Lists for scripts call a file with another mode or time modified.  For people, and where
// stat proves nothing, the content decides.
//
// Such files are collected and then hashed together, by an ingest that stores nothing.  So they come
// behind all other differences, out of order; dig status, which needs the order, sorts them.  A walk
// that read each of them in its place would use one core.  10,000 of them are read at a time, which
// bounds the memory.  A large file with another time is not read: people wait for the answer.
#include "libdig/verbs/work_diff.h"

#include <map>

#include "libdig/base/path_walk.h"
#include "libdig/store/last_tree.h"
#include "libdig/verbs/indexed_walk.h"
#include "libdig/worktree/worktree.h"

namespace dig {

constexpr std::uint64_t most_read_for_detail = 16_MiB;

Difference difference_of(const Entry &before, const Entry &after, Detail detail)
{
	if (before.kind != after.kind)
		return Difference::type_changed;
	if (detail == Detail::as_listed || before.file_root() != after.file_root())
		return Difference::modified;
	if (before.mode != after.mode)
		return Difference::mode_changed;
	return before.mtime_ns != after.mtime_ns ? Difference::time_changed : Difference::modified;
}

Index current_index(Store &store)
{
	const std::string directory = store.paths().staging();
	std::optional<Digest> mirrored;
	for (int attempt = 0;; attempt++) {
		// The index is opened first, so that the roots that are read then are not older.
		Index index = Index::open(directory);
		store.refresh();
		// It stays with an older state where the newest one cannot be read.
		const bool has_moved = attempt == 0 || index.state().manifest_root != mirrored;
		if (attempt == 3 || !has_moved || store.is_head(index.state().manifest_root))
			return index;
		mirrored = index.state().manifest_root;
		try {
			StagingWriter writer(store);
			reconcile_index(store, writer);
		} catch (const SystemError &) {
			// A store that cannot be written is shown as it is.
			return index;
		}
	}
}

void diff_index(Store &store, const Index &index, const DifferenceFound &found, Detail detail)
{
	if (!index.may_have_staged())
		return;
	LastTree state(store);
	for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
		const IndexRecord &record = *at.current();
		if (!index.is_staged(record))
			continue;
		const std::optional<Entry> before = state.find(record.entry.path);
		if (!before && !record.is_removed)
			found(Difference::added, record.entry.path);
		else if (before && record.is_removed)
			found(Difference::deleted, record.entry.path);
		else if (before && !(*before == record.entry))
			found(difference_of(*before, record.entry, detail), record.entry.path);
	}
}

class WorkDiff : private IndexedWalk::Visitor {
public:
	WorkDiff(Store &store, const Index &index, const DifferenceFound &found, const WorkDiffOptions &options)
		: store_(store), found_(found), options_(options),
		  root_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY)),
		  margins_(root_), walk_(root_, index, true, *this), beside_(index.cursor())
	{
	}

	void run(const std::vector<std::string> &paths)
	{
		std::vector<std::string> ignored;
		walk_work_tree(root_, paths.empty() ? std::vector<std::string>{""} : paths, {},
			[&](const WorkRecord &record) { walk_.take(record); }, ignored);
		read_unsure();
	}

private:
	void present(const WorkRecord &found, const IndexRecord *known) override
	{
		if (known)
			compare(*known, found);
		else
			untracked(found);
	}

	void absent(const IndexRecord &known, const WorkRecord *found) override
	{
		const std::string &path = known.entry.path;
		if (found && found->type == WorkRecord::Type::skipped)
			found_(Difference::type_changed, path);
		else if (known.has_no_file)
			found_(Difference::no_file, path);
		// What is in a directory now displaces its entry, and is told by itself.
		else if (!found || known.entry.kind != EntryKind::empty_directory)
			found_(Difference::deleted, path);
	}

	void failed(const std::string &path, const std::string &) override { found_(Difference::failed, path); }
	void missing(const std::string &) override {}
	void skipped(const WorkRecord &found) override { found_(Difference::skipped, found.path); }

	void compare(const IndexRecord &known, const WorkRecord &record)
	{
		const EntryKind kind = record.entry_kind();
		if (known.entry.kind != kind) {
			found_(Difference::type_changed, record.path);
			return;
		}
		if (compare_stat(known, record.stat, margins_.of(record.path, record.stat)) == StatAnswer::same)
			return;
		const std::optional<Difference> seen = seen_difference(known.entry, record.stat);
		const bool has_content = kind != EntryKind::empty_directory;
		if (seen && (options_.detail == Detail::as_listed || *seen == Difference::modified)) {
			found_(Difference::modified, record.path);
			return;
		}
		if (seen && (!has_content || record.stat.size > most_read_for_detail)) {
			const bool may_be_other = has_content && *seen != Difference::mode_changed;
			found_(may_be_other ? Difference::modified : *seen, record.path);
			return;
		}
		if (has_content)
			unsure_.emplace(record.path, Unsure{known.entry.file_root(), seen});
		if (unsure_.size() >= 10000)
			read_unsure();
	}

	// The difference that stat shows.  Of mode and time it holds only if the content is the same.
	std::optional<Difference> seen_difference(const Entry &known, const FileStat &stat) const
	{
		if (known.kind != EntryKind::empty_directory && known.size != stat.size)
			return Difference::modified;
		const bool has_other_mode = known.kind != EntryKind::symlink && known.mode != stat.mode;
		const bool has_other_time = options_.minds_times && known.mtime_ns && store_.settings().core.record_mtime &&
			known.mtime_ns != stat.mtime_ns;
		if (has_other_mode && has_other_time && stat.size > most_read_for_detail)
			return Difference::modified;
		if (has_other_mode)
			return Difference::mode_changed;
		if (has_other_time)
			return Difference::time_changed;
		return {};
	}

	struct Unsure {
		Digest root;
		std::optional<Difference> otherwise; // if the content is the same
	};

	// What is different in the content of files that were read.
	class Reading : public IngestSink {
	public:
		explicit Reading(const std::map<std::string, Unsure> &unsure) : unsure_(unsure) {}

		void take(const IngestedUnit &unit) override
		{
			for (const IngestedUnit::Part &part : unit.parts) {
				part.source->append_to_tree(part.chunks, nowhere_);
				if (part.outcome)
					finish(*part.source, *part.outcome);
			}
		}

		std::vector<std::pair<std::string, Difference>> results;

	private:
		void finish(Source &source, const SourceOutcome &outcome)
		{
			const Unsure &unsure = unsure_.at(source.path);
			if (!outcome.error.empty())
				results.emplace_back(source.path, Difference::failed);
			else if (outcome.has_changed || source.finish_tree(nowhere_) != unsure.root)
				results.emplace_back(source.path, Difference::modified);
			else if (unsure.otherwise)
				results.emplace_back(source.path, *unsure.otherwise);
		}

		const std::map<std::string, Unsure> &unsure_;
		const NodeSink nowhere_ = [](const Digest &, Bytes) {};
	};

	void read_unsure()
	{
		if (unsure_.empty())
			return;
		Reading reading(unsure_);
		{
			Ingest ingest(store_.settings(), store_.chunking(), root_, reading);
			for (const auto &[path, unsure] : unsure_) {
				Source source;
				source.path = path;
				source.stat = find_stat_beneath(root_, path);
				if (!source.stat) {
					found_(Difference::deleted, path);
					continue;
				}
				source.kind = source.stat->type == FileType::symlink ? EntryKind::symlink : EntryKind::file;
				ingest.submit(std::move(source));
			}
			ingest.drain();
		}
		for (const auto &[path, difference] : reading.results)
			found_(difference, path);
		unsure_.clear();
	}

	// The topmost directory that has nothing tracked in it stands for all that it has.
	void untracked(const WorkRecord &record)
	{
		if (!shown_.empty() && is_within(record.path, shown_))
			return;
		for (std::size_t end = record.path.find('/'); end != std::string::npos;
			end = record.path.find('/', end + 1)) {
			const std::string above = record.path.substr(0, end);
			bool has_tracked = false;
			each_below(beside_, above, [&](const IndexCursor &at) {
				has_tracked = !at.current()->is_removed;
				return !has_tracked;
			});
			if (!has_tracked) {
				shown_ = above;
				found_(Difference::untracked, above + "/");
				return;
			}
		}
		const bool is_directory = record.type == WorkRecord::Type::directory;
		found_(Difference::untracked, is_directory ? record.path + "/" : record.path);
	}

	Store &store_;
	const DifferenceFound &found_;
	WorkDiffOptions options_;
	File root_;
	ClockMargins margins_;
	IndexedWalk walk_;
	IndexCursor beside_;
	std::string shown_;
	std::map<std::string, Unsure> unsure_;
};

void diff_work(Store &store, const Index &index, const std::vector<std::string> &paths,
	const DifferenceFound &found, const WorkDiffOptions &options)
{
	WorkDiff(store, index, found, options).run(paths);
}

} // namespace dig
