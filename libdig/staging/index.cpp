#include "libdig/staging/index.h"

#include <algorithm>
#include <cassert>

#include "libdig/base/path.h"
#include "libdig/os/arena.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::size_t block_size = 16_KiB;
constexpr std::size_t max_block = 256_KiB; // one record of the longest path and attributes
constexpr std::size_t spool_size = 4_MiB;
constexpr std::uint64_t min_changes_limit = 4_MiB;
constexpr std::uint16_t no_file_feature = 1; // of a preamble: there are records with that flag
constexpr std::uint8_t removed_record_flag = 1; // right behind its path
constexpr std::uint32_t dropped_flag = 1, has_manifest_flag = 2, loose_flag = 4;

struct IndexTail {
	le64 table_offset;
	le32 block_count;
	le32 flags;
	le64 records;
	StagingId id;      // of this file
	StagingId base_id; // changes: of the base they belong to
	Digest manifest_root;
	le64 committed_sequence, last_sequence;
	le64 highest_sequence; // of a record in this file
	StagingId journal_id;
	le64 journal_offset;
	le32 table_checksum;
	le32 checksum; // of the tail before it
};
static_assert(sizeof(IndexTail) == 144);

static IndexState state_of(const IndexTail &tail)
{
	IndexState state;
	if (tail.flags & has_manifest_flag)
		state.manifest_root = tail.manifest_root;
	state.committed_sequence = tail.committed_sequence;
	state.last_sequence = tail.last_sequence;
	state.journal_id = tail.journal_id;
	state.journal_offset = tail.journal_offset;
	state.has_dropped = tail.flags & dropped_flag;
	state.has_loose = tail.flags & loose_flag;
	return state;
}

static std::size_t shared_prefix(std::string_view a, std::string_view b)
{
	const std::size_t limit = std::min({a.size(), b.size(), std::size_t(65535)});
	std::size_t i = 0;
	while (i < limit && a[i] == b[i])
		i++;
	return i;
}

// Writes records in the order of their paths.
class IndexFileWriter {
public:
	explicit IndexFileWriter(const File &file) : file_(file)
	{
		append(pending_, raw_bytes(make_preamble(index_magic)));
	}

	void put(const IndexRecord &record)
	{
		const std::string &path = record.entry.path;
		if (block_.size() >= block_size)
			end_block();
		const std::size_t shared = block_.empty() ? 0 : shared_prefix(last_path_, path);
		if (block_.empty())
			first_path_ = path;
		put_u16(block_, static_cast<std::uint16_t>(shared));
		put_u16(block_, static_cast<std::uint16_t>(path.size() - shared));
		append(block_, bytes_of(std::string_view(path).substr(shared)));
		record.encode_rest(block_);
		has_no_file_ = has_no_file_ || record.has_no_file;
		last_path_ = path;
		highest_sequence_ = std::max(highest_sequence_, record.sequence);
		records_++;
	}

	void finish(const StagingId &id, const StagingId &base_id, const IndexState &state)
	{
		end_block();
		IndexTail tail{};
		tail.table_offset = offset_ + pending_.size();
		tail.block_count = block_count_;
		tail.flags = (state.has_dropped ? dropped_flag : 0) | (state.has_loose ? loose_flag : 0) |
			(state.manifest_root ? has_manifest_flag : 0);
		tail.records = records_;
		tail.id = id;
		tail.base_id = base_id;
		tail.manifest_root = state.manifest_root.value_or(Digest());
		tail.committed_sequence = state.committed_sequence;
		tail.last_sequence = state.last_sequence;
		tail.highest_sequence = highest_sequence_;
		tail.journal_id = state.journal_id;
		tail.journal_offset = state.journal_offset;
		tail.table_checksum = crc32_of(table_);
		tail.checksum = crc32_of(raw_bytes(tail).first(sizeof tail - 4));
		append(pending_, table_);
		append(pending_, raw_bytes(tail));
		flush();
		if (has_no_file_)
			file_.write_at(raw_bytes(make_preamble(index_magic, {.read_features = no_file_feature})), 0);
	}

	std::uint64_t records() const { return records_; }
	const std::string &last_path() const { return last_path_; }

private:
	void end_block()
	{
		if (block_.empty())
			return;
		put_u64(table_, offset_ + pending_.size());
		put_u32(table_, static_cast<std::uint32_t>(block_.size()));
		put_u32(table_, crc32_of(block_));
		put_u16(table_, static_cast<std::uint16_t>(first_path_.size()));
		append(table_, bytes_of(first_path_));
		append(pending_, block_);
		block_.clear();
		block_count_++;
		if (pending_.size() >= 256_KiB)
			flush();
	}
	void flush()
	{
		file_.write_at(pending_, offset_);
		offset_ += pending_.size();
		pending_.clear();
	}

	const File &file_;
	std::uint64_t offset_ = 0, records_ = 0, highest_sequence_ = 0;
	std::uint32_t block_count_ = 0;
	bool has_no_file_ = false;
	Buffer pending_, block_, table_;
	std::string first_path_, last_path_;
};

class IndexFile {
public:
	explicit IndexFile(File file) : file_(std::move(file))
	{
		const std::uint64_t size = file_.size();
		if (size < sizeof(Preamble) + sizeof tail_)
			throw CorruptError("it is too short", file_.name(), size);
		Buffer preamble(sizeof(Preamble));
		file_.read_exactly_at(preamble, 0);
		check_preamble(preamble, index_magic, file_.name(), true, {.read_features = no_file_feature});
		Buffer raw(sizeof tail_);
		file_.read_exactly_at(raw, size - sizeof tail_);
		std::memcpy(&tail_, raw.data(), sizeof tail_);
		if (tail_.checksum != crc32_of(Bytes(raw).first(sizeof tail_ - 4)))
			throw CorruptError("the tail's checksum is wrong", file_.name(), size - sizeof tail_);
		if (tail_.table_offset < sizeof(Preamble) || tail_.table_offset > size - sizeof tail_)
			throw CorruptError("the block table lies outside", file_.name(), size);
		read_table(size - sizeof tail_);
	}

	struct Block {
		std::uint64_t offset;
		std::uint32_t size, checksum;
		std::string_view first_path;
	};

	const IndexTail &tail() const { return tail_; }
	const File &file() const { return file_; }
	const std::vector<Block> &blocks() const { return blocks_; }
	std::uint64_t size() const { return tail_.table_offset; }

	Buffer read_block(std::size_t number) const
	{
		const Block &block = blocks_[number];
		Buffer content(block.size);
		file_.read_exactly_at(content, block.offset);
		if (crc32_of(content) != block.checksum)
			throw CorruptError("a block's checksum is wrong", file_.name(), block.offset);
		return content;
	}
	// The last block whose first path is at or before path; 0 when there is none.
	std::size_t block_for(std::string_view path) const
	{
		const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), path,
			[](std::string_view a, const Block &b) { return a < b.first_path; });
		return after == blocks_.begin() ? 0 : static_cast<std::size_t>(after - blocks_.begin()) - 1;
	}

private:
	void read_table(std::uint64_t end)
	{
		table_.resize(end - tail_.table_offset);
		file_.read_exactly_at(table_, tail_.table_offset);
		if (crc32_of(table_) != tail_.table_checksum)
			throw CorruptError("the block table's checksum is wrong", file_.name(), tail_.table_offset);
		Cursor cursor(table_, file_.name(), tail_.table_offset);
		std::uint64_t next = sizeof(Preamble);
		for (std::uint32_t i = 0; i < tail_.block_count; i++) {
			Block block;
			block.offset = cursor.u64();
			block.size = cursor.u32();
			block.checksum = cursor.u32();
			block.first_path = text_of(cursor.take(cursor.u16()));
			if (block.offset != next || block.size == 0 || block.size > max_block ||
				block.offset + block.size > tail_.table_offset)
				cursor.fail("a block lies where none can");
			if (i > 0 && block.first_path <= blocks_.back().first_path)
				cursor.fail("blocks are not in order");
			next = block.offset + block.size;
			blocks_.push_back(block);
		}
		cursor.expect_end();
		if (next != tail_.table_offset)
			cursor.fail("the blocks do not reach to their table");
	}

	File file_;
	IndexTail tail_;
	Buffer table_;
	std::vector<Block> blocks_;
};

struct IndexCursor::Side {
	std::shared_ptr<IndexFile> file;
	std::size_t block = 0; // the one in content
	Buffer content;
	std::size_t at = 0; // of the next record in content
	bool is_loaded = false;
	IndexRecord record;
	bool has_record = false;

	explicit Side(std::shared_ptr<IndexFile> from) : file(std::move(from)) { rewind(0); }

	void rewind(std::size_t number)
	{
		block = number;
		at = 0;
		has_record = is_loaded = false;
		record.entry.path.clear();
		if (file)
			next();
	}

	void next()
	{
		has_record = false;
		if (!file || block >= file->blocks().size())
			return;
		if (!is_loaded || at == content.size()) {
			if (is_loaded && ++block == file->blocks().size())
				return;
			content = file->read_block(block);
			is_loaded = true;
			at = 0;
			record.entry.path.clear();
		}
		Cursor cursor(Bytes(content).subspan(at), file->file().name(),
			file->blocks()[block].offset + at);
		const std::uint16_t shared = cursor.u16(), rest = cursor.u16();
		if (shared > record.entry.path.size())
			cursor.fail("a path shares more than there is");
		record.entry.path.resize(shared);
		record.entry.path += text_of(cursor.take(rest));
		IndexRecord::check_path(cursor, record.entry.path, shared);
		record.decode_rest(cursor);
		at = content.size() - cursor.left();
		has_record = true;
	}

	void seek(std::string_view path)
	{
		if (!file || file->blocks().empty())
			return;
		const std::size_t wanted = file->block_for(path);
		const bool is_ahead = has_record && record.entry.path <= path && wanted == block;
		if (!is_ahead)
			rewind(wanted);
		while (has_record && record.entry.path < path)
			next();
	}
};

IndexCursor::IndexCursor(std::shared_ptr<IndexFile> base, std::shared_ptr<IndexFile> changes)
	: base_(std::make_unique<Side>(std::move(base))), changes_(std::make_unique<Side>(std::move(changes)))
{
	settle();
}

IndexCursor::~IndexCursor() = default;
IndexCursor::IndexCursor(IndexCursor &&) noexcept = default;
IndexCursor &IndexCursor::operator=(IndexCursor &&) noexcept = default;

void IndexCursor::settle()
{
	if (!changes_->has_record)
		current_ = base_->has_record ? &base_->record : nullptr;
	else if (!base_->has_record || changes_->record.entry.path <= base_->record.entry.path)
		current_ = &changes_->record;
	else
		current_ = &base_->record;
}

const IndexRecord *IndexCursor::current() const { return current_; }

void IndexCursor::next()
{
	if (current_ == &changes_->record) {
		if (base_->has_record && base_->record.entry.path == changes_->record.entry.path)
			base_->next();
		changes_->next();
	} else if (current_) {
		base_->next();
	}
	settle();
}

void IndexCursor::seek(std::string_view path)
{
	base_->seek(path);
	changes_->seek(path);
	settle();
}

void DisplacedRecords::find(const std::string &path,
	const std::function<void(const IndexRecord &)> &found)
{
	const std::size_t slash = path.rfind('/');
	const std::string directory = slash == path.npos ? "" : path.substr(0, slash);
	for (std::size_t end = path.find('/'); end != path.npos && directory != last_directory_;
		end = path.find('/', end + 1)) {
		const std::string above = path.substr(0, end);
		if (is_within(last_directory_, above))
			continue;
		at_.seek(above);
		if (at_.current() && at_.current()->entry.path == above && !at_.current()->is_removed)
			found(*at_.current());
	}
	last_directory_ = directory;
	for (at_.seek(path + "/"); at_.current() && is_within(at_.current()->entry.path, path); at_.next())
		if (!at_.current()->is_removed)
			found(*at_.current());
}

static std::shared_ptr<IndexFile> open_file(const std::string &path)
{
	std::optional<File> file = File::find(path);
	return file ? std::make_shared<IndexFile>(std::move(*file)) : nullptr;
}

Index Index::open(const std::string &directory)
{
	try {
		return open_whole(directory);
	} catch (const CorruptError &) {
		if (!is_unpromised(directory))
			throw;
	}
	Index index;
	index.directory_ = directory;
	index.is_lost_ = true;
	try {
		index.base_ = open_file(directory + "/index");
	} catch (const CorruptError &) {
	}
	if (index.base_)
		index.state_ = state_of(index.base_->tail());
	// What was staged in an old base is committed, and the state may have gone on since.
	if (!index.may_have_staged())
		return index;
	index.base_ = nullptr;
	index.state_ = {};
	return index;
}

void Index::remove_lost() const
{
	remove_file_if_there(directory_ + "/changes");
	if (!base_)
		remove_file_if_there(directory_ + "/index");
}

Index Index::open_whole(const std::string &directory)
{
	Index index;
	index.directory_ = directory;
	// A writer replaces the base first and removes the changes then, so the changes are read
	// first: those of an older base show as stale, newer ones make us look again.
	for (int attempt = 0;; attempt++) {
		index.changes_ = open_file(directory + "/changes");
		index.base_ = open_file(directory + "/index");
		const StagingId base_id = index.base_ ? index.base_->tail().id : StagingId();
		if (!index.changes_ || index.changes_->tail().base_id == base_id)
			break;
		// They were there before the base was, so a base that is older is another one's.
		const std::uint64_t base_sequence = index.base_ ? std::uint64_t(index.base_->tail().last_sequence) : 0;
		if (index.changes_->tail().last_sequence > base_sequence)
			throw CorruptError("the base that it belongs to is missing; 'dig reset' gives up what is "
				"staged and starts anew",
				index.changes_->file().name(), 0);
		if (attempt == 3) {
			index.changes_ = nullptr;
			break;
		}
	}
	if (index.changes_)
		index.state_ = state_of(index.changes_->tail());
	else if (index.base_)
		index.state_ = state_of(index.base_->tail());
	return index;
}

std::optional<IndexRecord> Index::find(std::string_view path) const
{
	IndexCursor at = cursor();
	at.seek(path);
	if (!at.current() || at.current()->entry.path != path || at.current()->is_removed)
		return {};
	return *at.current();
}

bool Index::may_have_staged(const std::shared_ptr<IndexFile> &file) const
{
	return file && file->tail().records > 0 && file->tail().highest_sequence > state_.committed_sequence;
}

bool Index::may_have_staged() const { return may_have_staged(base_) || may_have_staged(changes_); }

// Whatever the base has of a path that was staged later, the changes have it, too, and it counts.
IndexCursor Index::staged_cursor() const
{
	return IndexCursor(may_have_staged(base_) ? base_ : nullptr, changes_);
}

void Index::check() const
{
	for (const auto &file : {base_, changes_}) {
		if (!file)
			continue;
		IndexCursor all(file, nullptr);
		std::string before;
		std::uint64_t count = 0;
		for (; all.current(); all.next(), count++) {
			if (count > 0 && all.current()->entry.path <= before)
				throw CorruptError("its paths are not in order", file->file().name(), 0);
			before = all.current()->entry.path;
		}
		if (count != file->tail().records)
			throw CorruptError("it holds another number of records than it says", file->file().name(), 0);
	}
}

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
	Buffer encoded; // of the record that is being put
	struct Run {
		File file;
		std::unique_ptr<IndexFileWriter> writer;
		std::shared_ptr<IndexFile> reader;
	};
	std::vector<Run> runs;
	std::string directory;
	bool is_sorted = true;
	// Of the present records so far, as long as they come in order: those that one behind the last may
	// lie below.  Whether some were put that cannot stand side by side.
	PathChain above;
	std::string last_path;
	bool may_conflict = false;

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
	IndexRecord record_of(const Item &item) const
	{
		Cursor cursor(Bytes(heap).subspan(item.offset, item.size), "the update of the index");
		IndexRecord record;
		record.entry.path = text_of(cursor.take(cursor.u16()));
		record.decode_rest(cursor);
		return record;
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
		IndexRecord record = record_of(item);
		encoded.clear();
		IndexRecord removal = removal_of(record);
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
		// runs may have moved in memory since the writer was made: it refers to the file.
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
	spool_->runs.reserve(4096); // writers refer to files inside
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
	if (spool.heap.size() >= spool_size / 16 && spool.heap.capacity() < spool_size)
		spool.heap.reserve(spool_size + max_block);
	spool.heap.insert(spool.heap.end(), spool.encoded.begin(), spool.encoded.end());
	const Spool::Item item{start, spool.heap.size() - start,
		static_cast<std::uint32_t>(record.entry.path.size()),
		static_cast<std::uint32_t>(spool.items.size())};
	if (!spool.items.empty() && record.entry.path <= spool.path_of(spool.items.back()))
		spool.is_sorted = false;
	if (spool.items.size() == 4096)
		spool.items.reserve(65536);
	spool.items.push_back(item);
	if (spool.heap.size() >= spool_size)
		spool.spill();
}

// Where the merge takes records from: newest first.
class IndexSources {
public:
	void add(IndexCursor cursor) { cursors_.push_back(std::make_unique<IndexCursor>(std::move(cursor))); }

	// Which source the last record came from, the newest being 0.
	std::size_t source() const { return source_; }

	// The next record of any source, the newest one of its path.
	std::optional<IndexRecord> next()
	{
		IndexCursor *least = nullptr;
		for (std::size_t i = 0; i < cursors_.size(); i++)
			if (cursors_[i]->current() &&
				(!least || cursors_[i]->current()->entry.path < least->current()->entry.path)) {
				least = cursors_[i].get();
				source_ = i;
			}
		if (!least)
			return {};
		IndexRecord record = *least->current();
		for (auto &cursor : cursors_)
			while (cursor->current() && cursor->current()->entry.path == record.entry.path)
				cursor->next();
		return record;
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
};

static void write_index(const std::string &path, IndexSources &sources, const StagingId &id,
	const StagingId &base_id, const IndexState &state, bool is_base)
{
	PublishedFile file(path);
	IndexFileWriter writer(file.file());
	while (std::optional<IndexRecord> record = sources.next()) {
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
		while (const std::optional<IndexRecord> record = all.next()) {
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
				remove(above.record);
			}
		}
		if (is_older)
			remove(record);
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
	spool_ = std::make_unique<Spool>();
	spool_->directory = directory_;
	spool_->runs.reserve(4096);
	replaces_all_ = false;
}

} // namespace dig
