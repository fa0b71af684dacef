// What is put comes in any order, a million records of it, in bounded memory; and it must leave an
// index in which no file stands where another path needs a directory.
//
// Records are encoded into a heap of 4 MiB.  A full heap is sorted and written out as a run, in
// the form of an index file.  Paths mostly come in order, from a walk.  So a run that the heap
// continues is gone on with, and a walk of a million paths makes one run and needs no merge.
//
// publish() merges all runs, the changes and, when these have become large, the base: newest
// first, so that of the records of one path the last one put is written.
//
// In between it finds what is displaced.  A path that is put displaces a file in the place of a
// directory above it, and all that is below it.  In order, "a-b" stands between "a" and "a/b", so
// that it is not enough to look at the neighbour: PathChain keeps all paths that one behind them
// may lie below.  Within the heap the last one put wins (drop_displaced).  Between runs, and
// against the index, Displacement decides, and puts removals into an update of its own, which
// outranks all. Where a list has nothing that conflicts, as nearly all have, one flag
// (may_conflict) tells so.
//
// A crash before the rename leaves temporary files without a name, and the older index.
//
// Rejected: a tree in memory (some hundred bytes a path); a temporary index on disk with random
// access (a seek for each path that is put).
#include "libdig/staging/index_update.h"

#include <algorithm>
#include <deque>

#include "libdig/base/path.h"
#include "libdig/os/arena.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::size_t largest_record = 256_KiB; // of the longest path and attributes
constexpr std::size_t spool_size = 4_MiB - largest_record, spool_items = 65536;
constexpr std::uint64_t min_changes_limit = 4_MiB;
constexpr std::uint8_t removed_record_flag = 1; // right behind its path

// Paths that one behind them all may lie below: each begins the next one.
class PathChain {
public:
	// Whether path, or one behind it, can lie below above.  "a-b" lies between "a" and "a/b".
	static bool may_be_above(std::string_view above, std::string_view path)
	{
		return path.starts_with(above) && path.size() > above.size() && path[above.size()] <= '/';
	}

	// Forgets what neither path nor what comes behind it lies below.
	bool is_below_any(std::string_view path)
	{
		while (size_ > 0 && !may_be_above(paths_[size_ - 1], path))
			size_--;
		for (std::size_t i = 0; i < size_; i++)
			if (is_within(path, paths_[i]))
				return true;
		return false;
	}
	// Behind a call of is_below_any() with the same path.
	void push(std::string_view path)
	{
		if (size_ == paths_.size())
			paths_.emplace_back();
		paths_[size_++] = path;
	}

private:
	std::vector<std::string> paths_; // used up to size_, and kept
	std::size_t size_ = 0;
};

// A removal among what is put that has displaced other paths before it was displaced itself.  No
// removal is by reference, so that flag says it, until the record is written.
static void mark_displaced(IndexRecord &removal) { removal.is_by_reference = true; }
static bool is_displaced(const IndexRecord &record) { return record.is_removed && record.is_by_reference; }

static IndexRecord removal_of(const IndexRecord &record)
{
	IndexRecord removal;
	removal.entry.path = record.entry.path;
	removal.is_removed = true;
	removal.has_no_file = record.has_no_file;
	removal.sequence = IndexUpdate::new_sequence;
	return removal;
}

// Sorted runs of what was put, the last of them still open for more in order.
struct IndexUpdate::Spool {
	struct Item {
		std::size_t offset, size;
		std::uint32_t path_size;
		std::uint32_t number; // order of putting
	};
	LargeVector<std::uint8_t> heap;
	LargeVector<Item> items;
	Buffer encoded;     // of the record that is being put
	IndexRecord decoded; // the last one that was asked for
	struct Run {
		File file;
		std::unique_ptr<IndexFileWriter> writer;
		std::shared_ptr<IndexFile> reader;
	};
	std::deque<Run> runs; // a writer refers to the file in its run
	std::string directory;
	bool is_sorted = true;
	// Of the present records so far, as long as they come in order: those that one behind the last may
	// lie below.  Whether some were put that cannot stand side by side.
	PathChain above;
	std::string last_path;
	bool may_conflict = false;
	Displaced displaced;

	void note_displaced(const std::string_view path)
	{
		if (displaced.count++ == 0)
			displaced.first = path;
	}
	void watch(const IndexRecord &record)
	{
		const std::string &path = record.entry.path;
		may_conflict = may_conflict || path <= last_path || (!record.is_removed && above.is_below_any(path));
		last_path = path;
		if (!may_conflict && !record.is_removed)
			above.push(path);
	}
	bool is_removed(const Item &item) const
	{
		return heap[item.offset + 2 + item.path_size] & removed_record_flag;
	}
	std::string_view path_of(const Item &item) const
	{
		return text_of(Bytes(heap).subspan(item.offset + 2, item.path_size));
	}
	// Until the next call.
	const IndexRecord &record_of(const Item &item)
	{
		Cursor cursor(Bytes(heap).subspan(item.offset, item.size), "the update of the index");
		decoded.entry.path = text_of(cursor.take(cursor.u16()));
		decoded.decode_rest(cursor);
		return decoded;
	}
	void sort()
	{
		if (!is_sorted)
			std::sort(items.begin(), items.end(), [&](const Item &a, const Item &b) {
				const int order = path_of(a).compare(path_of(b));
				return order ? order < 0 : a.number < b.number;
			});
		is_sorted = true;
	}
	// Of sorted items the last ones of their paths; of two that cannot stand side by side, the one that
	// was put first becomes a removal.
	void drop_displaced()
	{
		std::vector<std::size_t> chain;
		for (std::size_t i = 0; i < items.size(); i++) {
			const std::string_view path = path_of(items[i]);
			if ((i + 1 < items.size() && path == path_of(items[i + 1])) || is_removed(items[i]))
				continue;
			while (!chain.empty() && !PathChain::may_be_above(path_of(items[chain.back()]), path))
				chain.pop_back();
			bool is_displaced = false;
			for (const std::size_t at : chain)
				if (is_within(path, path_of(items[at]))) {
					const bool is_older = items[i].number < items[at].number;
					remove(is_older ? items[i] : items[at]);
					is_displaced = is_displaced || is_older;
				}
			if (!is_displaced)
				chain.push_back(i);
		}
	}
	// The record becomes the removal of its path.  It is shorter than before.
	void remove(Item &item)
	{
		note_displaced(path_of(item));
		encoded.clear();
		IndexRecord removal = removal_of(record_of(item));
		mark_displaced(removal);
		removal.encode(encoded);
		std::copy(encoded.begin(), encoded.end(), heap.begin() + static_cast<std::ptrdiff_t>(item.offset));
		item.size = encoded.size();
	}
	void end_run()
	{
		if (runs.empty() || !runs.back().writer)
			return;
		Run &run = runs.back();
		run.writer->finish({}, {}, {});
		run.writer.reset();
		run.reader = std::make_shared<IndexFile>(std::move(run.file));
	}
	void spill()
	{
		if (items.empty())
			return;
		sort();
		if (may_conflict)
			drop_displaced();
		const bool goes_on = !runs.empty() && runs.back().writer &&
			std::string_view(runs.back().writer->last_path()) < path_of(items[0]);
		if (!goes_on) {
			end_run();
			runs.push_back({File::temporary_in(directory), nullptr, nullptr});
			runs.back().writer = std::make_unique<IndexFileWriter>(runs.back().file);
		}
		for (std::size_t i = 0; i < items.size(); i++)
			if (i + 1 == items.size() || path_of(items[i]) != path_of(items[i + 1]))
				runs.back().writer->put(record_of(items[i]));
		items.clear();
		heap.clear();
	}
};

IndexUpdate::IndexUpdate(std::string directory)
	: directory_(std::move(directory)), spool_(std::make_unique<Spool>())
{
	spool_->directory = directory_;
}

IndexUpdate::~IndexUpdate() = default;
IndexUpdate::IndexUpdate(IndexUpdate &&) noexcept = default;
IndexUpdate &IndexUpdate::operator=(IndexUpdate &&) noexcept = default;

bool IndexUpdate::is_empty() const { return spool_->items.empty() && spool_->runs.empty() && !replaces_all_; }

void IndexUpdate::put(const IndexRecord &record)
{
	Spool &spool = *spool_;
	const std::size_t start = spool.heap.size();
	spool.encoded.clear();
	record.encode(spool.encoded);
	spool.watch(record);
	// A long list will fill it: then no growing by halves.
	if (spool.heap.size() >= spool_size / 64 && spool.heap.capacity() < spool_size)
		spool.heap.reserve(spool_size + largest_record);
	spool.heap.insert(spool.heap.end(), spool.encoded.begin(), spool.encoded.end());
	const Spool::Item item{start, spool.heap.size() - start,
		static_cast<std::uint32_t>(record.entry.path.size()),
		static_cast<std::uint32_t>(spool.items.size())};
	if (!spool.items.empty() && record.entry.path <= spool.path_of(spool.items.back()))
		spool.is_sorted = false;
	if (spool.items.size() == 1024)
		spool.items.reserve(spool_items);
	spool.items.push_back(item);
	if (spool.heap.size() >= spool_size || spool.items.size() == spool_items)
		spool.spill();
}

// Where the merge takes records from: newest first.
class IndexSources {
public:
	void add(IndexCursor cursor) { cursors_.push_back(std::make_unique<IndexCursor>(std::move(cursor))); }

	// Which source the last record came from, the newest being 0.
	std::size_t source() const { return source_; }

	// The next record of any source, the newest one of its path, until the next call; null at the end.
	IndexRecord *next()
	{
		IndexCursor *least = nullptr;
		for (std::size_t i = 0; i < cursors_.size(); i++)
			if (cursors_[i]->current() &&
				(!least || cursors_[i]->current()->entry.path < least->current()->entry.path)) {
				least = cursors_[i].get();
				source_ = i;
			}
		if (!least)
			return nullptr;
		record_ = *least->current();
		for (auto &cursor : cursors_)
			while (cursor->current() && cursor->current()->entry.path == record_.entry.path)
				cursor->next();
		return &record_;
	}

	// Whether any source has a record of the path.  For single questions: it moves the sources.
	bool has(std::string_view path)
	{
		for (auto &cursor : cursors_) {
			cursor->seek(path);
			if (cursor->current() && cursor->current()->entry.path == path)
				return true;
		}
		return false;
	}

private:
	std::vector<std::unique_ptr<IndexCursor>> cursors_;
	std::size_t source_ = 0;
	IndexRecord record_; // keeps its memory
};

static void write_index(const std::string &path, IndexSources &sources, const StagingId &id,
	const StagingId &base_id, const IndexState &state, bool is_base)
{
	PublishedFile file(path);
	IndexFileWriter writer(file.file());
	while (IndexRecord *const record = sources.next()) {
		if (record->sequence == IndexUpdate::new_sequence)
			record->sequence = state.last_sequence;
		record->is_by_reference = record->is_by_reference && !record->is_removed;
		if (is_base && record->is_removed && record->sequence <= state.committed_sequence)
			continue;
		writer.put(*record);
	}
	writer.finish(id, base_id, state);
	file.publish(PublishedFile::Durability::file_only);
}

// Everything put becomes runs that can be read: one way to merge.
void IndexUpdate::write_all_out()
{
	spool_->spill();
	spool_->end_run();
}

// What of an index, and of what is put into it, cannot stay beside the rest.
class IndexUpdate::Displacement {
public:
	Displacement(const Index &old, IndexState &state, Spool &spool)
		: old_(old), state_(state), spool_(spool), displaced_(spool.directory), beside_(old.cursor()),
		  known_(old.cursor()), put_(all_put())
	{
	}

	// In the order of paths.
	void find(bool replaces_all)
	{
		IndexSources all = all_put();
		IndexCursor others = old_.cursor();
		while (const IndexRecord *const record = all.next()) {
			if (replaces_all)
				remove_others(others, record->entry.path);
			if (is_displaced(*record) || (!record->is_removed && !is_put_aside(*record, all.source())))
				displace(*record);
		}
		if (replaces_all)
			remove_others(others, {});
	}

	// Removals, newer than all that was put.
	IndexUpdate &displaced() { return displaced_; }

private:
	struct Above {
		std::string path;
		std::size_t source;
		bool is_displaced;
		IndexRecord record;
	};

	IndexSources all_put() const
	{
		IndexSources sources;
		for (std::size_t i = spool_.runs.size(); i-- > 0;)
			sources.add(IndexCursor(spool_.runs[i].reader, nullptr));
		return sources;
	}

	void remove(const IndexRecord &record)
	{
		const bool is_staged = old_.is_staged(record) && record.sequence != new_sequence;
		if (is_staged && !record.is_by_reference && record.entry.size > 0)
			state_.has_dropped = true;
		displaced_.put(removal_of(record));
	}

	// Of two that were put and cannot stand side by side, the newer one stays; in one run that is the
	// later path, which was put when the other one had been written out.
	bool is_put_aside(const IndexRecord &record, std::size_t source)
	{
		const std::string &path = record.entry.path;
		while (!above_.empty() && !PathChain::may_be_above(above_.back().path, path))
			above_.pop_back();
		bool is_older = false;
		for (Above &above : above_) {
			if (!is_within(path, above.path))
				continue;
			// Also of one that is displaced itself by now.
			if (above.source < source) {
				is_older = true;
			} else if (!above.is_displaced) {
				above.is_displaced = true;
				spool_.note_displaced(above.path);
				remove(above.record);
			}
		}
		if (is_older) {
			spool_.note_displaced(path);
			remove(record);
		}
		if (spool_.may_conflict)
			above_.push_back({path, source, is_older, record});
		return is_older;
	}

	// What stands at the path already stood beside all else.
	void displace(const IndexRecord &record)
	{
		const std::string &path = record.entry.path;
		known_.seek(path);
		if (known_.current() && known_.current()->entry.path == path && !known_.current()->is_removed)
			return;
		const bool is_staged = record.sequence > state_.committed_sequence;
		if (!is_staged && !staged_above_.empty() && is_within(path, staged_above_))
			return remove(record);
		beside_.find(path, [&](const IndexRecord &other) {
			if (put_.has(other.entry.path))
				return;
			if (is_staged || !old_.is_staged(other))
				return remove(other);
			// Of the newest state, as it came from another staging area: what is staged here stays.
			if (is_within(path, other.entry.path))
				staged_above_ = other.entry.path;
			remove(record);
		});
	}

	void remove_others(IndexCursor &others, std::optional<std::string_view> path)
	{
		for (; others.current() && (!path || others.current()->entry.path < *path); others.next())
			if (!others.current()->is_removed)
				remove(*others.current());
		if (path && others.current() && others.current()->entry.path == *path)
			others.next();
	}

	const Index &old_;
	IndexState &state_;
	Spool &spool_;
	IndexUpdate displaced_;
	DisplacedRecords beside_;
	IndexCursor known_;
	IndexSources put_;
	std::vector<Above> above_;
	std::string staged_above_;
};

void IndexUpdate::publish(const std::function<void(IndexState &)> &change)
{
	const Index old = Index::open(directory_);
	if (old.is_lost_)
		old.remove_lost();
	IndexState state = old.state();
	state.last_sequence++;
	if (change)
		change(state);
	write_all_out();
	std::uint64_t new_size = 0;
	for (const Spool::Run &run : spool_->runs)
		new_size += run.reader->size();
	IndexSources sources;
	std::optional<Displacement> displacement;
	if (old.is_there() || spool_->may_conflict) {
		displacement.emplace(old, state, *spool_);
		displacement->find(replaces_all_);
		IndexUpdate &displaced = displacement->displaced();
		displaced.write_all_out();
		for (const Spool::Run &run : displaced.spool_->runs) {
			new_size += run.reader->size();
			sources.add(IndexCursor(run.reader, nullptr));
		}
	}
	for (std::size_t i = spool_->runs.size(); i-- > 0;)
		sources.add(IndexCursor(spool_->runs[i].reader, nullptr));
	if (old.changes_)
		sources.add(IndexCursor(old.changes_, nullptr));
	const std::uint64_t base_size = old.base_ ? old.base_->size() : 0;
	const std::uint64_t changes_size = new_size + (old.changes_ ? old.changes_->size() : 0);
	if (changes_size > std::max(min_changes_limit, base_size / 8)) {
		if (old.base_)
			sources.add(IndexCursor(old.base_, nullptr));
		write_index(directory_ + "/index", sources, new_staging_id(), {}, state, true);
		remove_file_if_there(directory_ + "/changes");
	} else {
		const StagingId base_id = old.base_ ? old.base_->tail().id : StagingId();
		write_index(directory_ + "/changes", sources, new_staging_id(), base_id, state, false);
	}
	if (displaced_.count == 0)
		displaced_.first = spool_->displaced.first;
	displaced_.count += spool_->displaced.count;
	spool_ = std::make_unique<Spool>();
	spool_->directory = directory_;
	replaces_all_ = false;
}

} // namespace dig
