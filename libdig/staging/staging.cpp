#include "libdig/staging/staging.h"

#include <algorithm>
#include <numeric>

#include "libdig/os/arena.h"
#include "libdig/os/clock.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/watch/progress.h"
#include "libdig/format/section_writer.h"
#include "libdig/staging/staged_content.h"
#include "libdig/staging/staged_items.h"
#include "libdig/staging/staging_clear.h"

namespace dig {

constexpr std::size_t run_batch = 131072;      // records sorted in memory: 6 MiB
constexpr std::uint64_t run_threshold = 1_MiB; // bytes of journal
// Packs that grow faster than this in one run are written past the page cache.
constexpr std::uint64_t cached_pack_bytes = 48_MiB;
constexpr std::uint64_t writing_step = 4_MiB, page_size = 4096;

// --- opening and recovery --------------------------------------------------------------------

StagingWriter::StagingWriter(Store &store, bool holds_store_lock)
	: store_(store), holds_store_lock_(holds_store_lock), directory_(store.paths().staging()),
	  lock_((make_directory(directory_), directory_ + "/lock")), known_(std::make_unique<ItemSet>(directory_))
{
	locked([] {});
}

void StagingWriter::locked(const std::function<void()> &action)
{
	std::lock_guard threads(mutex_);
	for (;;) {
		{
			LockFile::Guard guard(lock_);
			if (prepare_locked()) {
				action();
				return;
			}
		}
		// A commit is between its layer and its root; that takes milliseconds.
		Lock::acquire(store_.paths().lock());
	}
}

// Makes journal_ and pack_ those that are in place, with everything read that others have
// appended.  False while somebody else's commit has to end first.
bool StagingWriter::prepare_locked()
{
	const std::optional<FileStat> there = find_stat(journal_path());
	if (!journal_.is_open()) {
		open_locked();
	} else if (!there || journal_.stat().inode != there->inode) {
		reopen_locked();
	} else if (there->size != journal_size_) {
		is_alone_ = false;
		has_unfinished_ = true;
		read_journal_locked(journal_size_, false);
	}
	return !state_.note() || settle_note_locked();
}

// Whether what was in the pack is in a layer of the history now: the journal that is still open ends
// with the note of the commit then.
bool StagingWriter::is_committed_locked() const
{
	JournalState state = state_;
	JournalReader rest(journal_, journal_size_);
	state.take_all(rest, journal_.name());
	return state.note() && store_.roots().find_layer(state.note()->layer_id);
}

// Another journal is in place.  What was in the pack is in a layer now, or it was given up, and then
// this process must not go on as if it were there.
void StagingWriter::reopen_locked()
{
	store_.reload();
	if (state_.block_count() > 0 && !is_committed_locked())
		throw Error("what was staged was given up by another command meanwhile; add again");
	open_locked();
}

static std::uint64_t run_number(const std::string &name)
{
	const std::size_t slash = name.rfind('/');
	return std::strtoull(name.c_str() + (slash == name.npos ? 0 : slash + 1), nullptr, 10);
}

// What runs of a journal name as their source.
static Digest source_of(const StagingId &journal)
{
	Digest source{};
	std::copy(journal.begin(), journal.end(), source.bytes.begin());
	return source;
}

void StagingWriter::open_runs()
{
	std::lock_guard guard(runs_mutex_);
	runs_.clear();
	runs_cover_ = 0;
	std::vector<std::unique_ptr<ChunkRun>> found;
	for (const std::string &name : names_in(directory_)) {
		if (!name.ends_with(".run"))
			continue;
		try {
			found.push_back(std::make_unique<ChunkRun>(File::open(directory_ + "/" + name)));
			if (found.back()->coverage().source != source_of(journal_id_))
				throw CorruptError("it was made of another journal", name, 0);
		} catch (const Error &) {
			// Derived from the journal, which is read instead; all of them are made anew.
			remove_staging_runs(directory_);
			return;
		}
	}
	std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
		return run_number(a->file().name()) < run_number(b->file().name());
	});
	for (const auto &run : found)
		runs_cover_ = std::max(runs_cover_, run->coverage().journal_offset);
	runs_ = std::move(found);
}

constexpr std::string_view reset_advice = "; 'dig reset' gives up what is staged and starts anew";

void StagingWriter::open_locked()
{
	if (const Index index = Index::open(directory_); index.is_lost()) {
		index.remove_lost();
		give_notice("the index in " + quote(directory_) + " was damaged, and nothing was staged; it is made anew");
	}
	const Index index = Index::open(directory_);
	// What is read of roots now is not older than the index.
	store_.refresh();
	if (!find_journal(journal_path())) {
		require_in_layers(index);
		begin_journal_locked();
	}
	try {
		open_journal_locked(index);
	} catch (const CorruptError &) {
		if (index.state().has_loose || find_content_in_no_layer(store_, index))
			throw;
		give_notice("the staging area in " + quote(directory_) + " was damaged; it is made anew, and nothing that "
			"was staged is lost");
		begin_journal_locked();
		open_journal_locked(index);
	}
}

// Where there is no journal, nothing that is staged may need one.
void StagingWriter::require_in_layers(const Index &index) const
{
	const bool is_there = find_stat(journal_path()).has_value();
	const std::string what = is_there ? "its beginning is damaged" : "it is missing";
	const std::optional<std::string> lost = find_content_in_no_layer(store_, index);
	if (lost || index.state().has_loose)
		throw CorruptError(what + ", and with it what is staged" + (lost ? ", as " + quote(*lost) : "") +
			std::string(reset_advice), journal_path(), 0);
	if (is_there)
		give_notice(quote(journal_path()) + " was damaged, and nothing that is staged needs it; it is made anew");
}

// A new journal, in place of one that nothing needs.
void StagingWriter::begin_journal_locked()
{
	remove_staging_runs(directory_);
	remove_file_if_there(pack_path());
	journal_ = File();
	pack_ = File();
	Buffer records;
	put_journal_record(records, JournalType::mark, [](Buffer &body) { JournalMark().encode(body); });
	create_journal(journal_path(), new_staging_id(), records);
}

void StagingWriter::open_journal_locked(const Index &index)
{
	journal_ = File::open_with(journal_path(), O_RDWR);
	is_alone_ = is_unused(journal_);
	has_unfinished_ = !is_alone_;
	is_journal_settled_ = false;
	mark_in_use(journal_);
	remove_abandoned(directory_);
	pack_ = File();
	const JournalReader reader(journal_);
	journal_id_ = reader.id();
	has_checksums_ = reader.has_checksums();
	open_runs();
	if (index.state().journal_id != journal_id_)
		require_content(index);
	const std::uint64_t from = std::min(merged_offset(index.state(), journal_id_), runs_cover_);
	state_ = JournalState(from);
	synced_pack_size_ = 0;
	if (is_alone_)
		recovered_ = std::make_unique<IndexUpdate>(directory_);
	read_journal_locked(from, is_alone_);
	open_pack_locked();
	trust_pack_locked();
	if (recovered_ && !recovered_->is_empty() && !state_.note())
		publish_recovered_locked();
	recovered_.reset();
}

// The journal is not the one that the index relies on, as after a crash while a new one was put in
// place, or when files of several times came together.
void StagingWriter::require_content(const Index &index) const
{
	const std::optional<std::string> lost = find_lost_content(store_, index);
	if (lost)
		throw CorruptError("it belongs to another index, and " + quote(*lost) +
				", which is staged, is not in the pack" + std::string(reset_advice),
			journal_path(), 0);
	if (index.state().has_loose)
		throw CorruptError("it belongs to another index" + std::string(reset_advice), journal_path(), 0);
}

void StagingWriter::open_pack_locked()
{
	if (!state_.note() && !find_stat(pack_path())) {
		if (state_.pack_size() > sizeof(Preamble))
			throw CorruptError("it is missing, and with it what is staged" + std::string(reset_advice), pack_path(), 0);
		pack_ = File::open_with(pack_path(), O_RDWR | O_CREAT);
	}
	// A writer that was killed may have made the pack and written nothing into it.
	const std::uint64_t there = state_.note() ? state_.pack_size() : pack_.size();
	if (there < state_.pack_size() && state_.pack_size() > sizeof(Preamble))
		throw CorruptError("it ends before what is staged does" + std::string(reset_advice), pack_path(), there);
	if (there < sizeof(Preamble))
		pack_.write_at(raw_bytes(make_preamble(layer_magic)), 0);
}

// Whoever writes to the pack changes its time, and whoever marks an end of it notes that.
void StagingWriter::trust_pack_locked()
{
	const bool is_new = state_.pack_size() == sizeof(Preamble);
	is_trusted_ = is_new ||
		(pack_.is_open() && state_.last_mark().pack_change_ns != 0 &&
			state_.last_mark().pack_size == state_.pack_size() &&
			pack_.stat().ctime_ns == state_.last_mark().pack_change_ns);
	trusted_size_ = is_trusted_ ? state_.pack_size() : 0;
}

// Files that a killed add had finished come into the index.
void StagingWriter::publish_recovered_locked()
{
	sync_locked();
	Buffer mark;
	write_mark_locked(mark);
	const std::uint64_t offset = journal_size_;
	Buffer records = state_.carried_records();
	dig::append(records, mark);
	write_journal_locked(records);
	journal_.sync_data();
	recovered_->publish([&](IndexState &state) {
		state.journal_id = journal_id_;
		state.journal_offset = offset;
		state.has_dropped = state.has_dropped || has_unfinished_;
	});
}

// Takes over what the journal says from an offset on.  In a recovery nobody else is alive: blocks
// behind the last mark are verified, and finished files come back into the index.
void StagingWriter::read_journal_locked(std::uint64_t from, bool is_recovery)
{
	if (!pack_.is_open() && find_stat(pack_path()))
		pack_ = File::open_with(pack_path(), O_RDWR);
	JournalReader reader(journal_, from);
	std::string_view name = journal_.name();
	const Index index = Index::open(directory_);
	state_.set_merged(merged_offset(index.state(), journal_id_));
	DisplacedRecords displaced(index.cursor());
	std::uint64_t good = reader.offset();
	// Which blocks were promised to be on storage shows only behind them.
	if (is_recovery) {
		JournalReader ahead(journal_, from);
		if (const std::optional<JournalMark> mark = find_last_mark(ahead, name))
			synced_pack_size_ = mark->pack_size;
	}
	for (; const std::optional<JournalRecord> record = reader.next(); good = reader.offset()) {
		if (record->type == JournalType::block) {
			if (!take_block_locked(*record, is_recovery)) {
				require_promised(good);
				truncate_locked(good);
				return;
			}
			has_unfinished_ = has_unfinished_ || record->offset >= state_.merged();
			continue;
		}
		state_.take(*record, name);
		if (record->type == JournalType::file && recovered_ && record->offset >= state_.merged())
			recover_file(*record, displaced);
	}
	require_promised(good);
	// A record that is torn was never promised to anybody.
	if (reader.is_torn() && is_recovery)
		truncate_locked(good);
	journal_size_ = good;
	if (pack_.is_open() && !state_.note() && pack_.size() > state_.pack_size()) {
		settle_journal_locked();
		pack_.truncate(state_.pack_size());
	}
}

void StagingWriter::recover_file(const JournalRecord &record, DisplacedRecords &displaced)
{
	Cursor cursor(record.body, journal_.name(), record.offset);
	const IndexRecord file = IndexRecord::decode(cursor);
	recovered_->put(file);
	// Removals are in no journal, but those that follow from a file are known.
	if (!file.is_removed)
		displaced.find(file.entry.path, [&](const IndexRecord &old) {
			IndexRecord removal;
			removal.entry.path = old.entry.path;
			removal.is_removed = true;
			removal.sequence = IndexUpdate::new_sequence;
			recovered_->put(removal);
		});
}

// What the index relies on must be there; nothing is cut off where it is not.
void StagingWriter::require_promised(std::uint64_t good) const
{
	if (good < state_.merged() || state_.misses_blocks())
		throw CorruptError("a record is damaged" + std::string(reset_advice), journal_path(), good);
}

// False when the pack does not hold what the record says, as after a power cut.
bool StagingWriter::take_block_locked(const JournalRecord &record, bool must_verify)
{
	const JournalBlock block = JournalBlock::decode(record.body, journal_.name(), record.offset);
	// With a note the pack may be a layer already, and was synced before.
	if (must_verify && block.end() > synced_pack_size_ && pack_.is_open()) {
		if (block.end() > pack_.size())
			return false;
		try {
			Decompressor decompressor;
			check_pack_block(pack_, block, decompressor);
		} catch (const CorruptError &) {
			return false;
		}
	}
	for (const Digest &item : block.items)
		known_->insert(static_cast<ItemKind>(block.record.kind), item);
	state_.take(block, record.offset);
	return true;
}

// Forgets what the journal says from here on.
void StagingWriter::truncate_locked(std::uint64_t journal_size)
{
	journal_.truncate(journal_size);
	journal_size_ = journal_size;
	if (pack_.is_open() && !state_.note() && pack_.size() > state_.pack_size())
		pack_.truncate(state_.pack_size());
}

// A layer was published, or nearly, and nobody has said whether its root was recorded.
bool StagingWriter::settle_note_locked()
{
	std::optional<Lock> lock;
	if (!holds_store_lock_ && !(lock = Lock::try_acquire(store_.paths().lock())))
		return false;
	store_.reload();
	// The staging area may have been copied then, and be put back after later commits.
	if (store_.roots().find_layer(state_.note()->layer_id))
		clear_staging_locked(store_, state_.note()->layer_id);
	else
		undo_note_locked();
	open_locked();
	return true;
}

// The layer becomes the pack again.
void StagingWriter::undo_note_locked()
{
	const std::string layer = store_.paths().layer(state_.note()->layer_id);
	if (!find_stat(pack_path())) {
		if (!find_stat(layer))
			throw CorruptError("it is missing, and with it what is staged" + std::string(reset_advice), pack_path(), 0);
		rename_file(layer, pack_path());
		sync_directory(directory_);
		sync_directory(store_.paths().layers());
	}
	pack_ = File::open_with(pack_path(), O_RDWR);
	if (pack_.size() < state_.note()->pack_size)
		throw CorruptError("it ends before what is staged does" + std::string(reset_advice), pack_path(), pack_.size());
	pack_.truncate(state_.note()->pack_size);
	Buffer record;
	put_journal_record(record, JournalType::cancelled, [](Buffer &) {});
	write_journal_locked(record);
	state_.cancel_note();
}

// --- appending ------------------------------------------------------------------------------

bool StagingWriter::claim_for_pack(ItemKind kind, const Digest &digest)
{
	{
		std::lock_guard guard(runs_mutex_);
		for (auto &run : runs_)
			if (run->find(kind, digest)) {
				uses_pack_ = true;
				return false;
			}
	}
	if (known_->insert(kind, digest))
		return true;
	uses_pack_ = true;
	return false;
}

bool StagingWriter::claim(ItemKind kind, const Digest &digest, Bytes content)
{
	if (store_.holds(kind, digest, content))
		return false;
	return claim_for_pack(kind, digest);
}

void StagingWriter::write_journal_locked(Bytes records)
{
	journal_.write_at(records, journal_size_);
	journal_size_ += records.size();
}

void StagingWriter::write_mark_locked(Buffer &out) const
{
	JournalMark mark{state_.pack_size(), state_.block_count()};
	if (has_checksums_ && is_trusted_ && pack_.is_open()) {
		mark.pack_change_ns = pack_.stat().ctime_ns;
		mark.since_ns = state_.last_mark().since_ns ? state_.last_mark().since_ns : now_ns();
	}
	put_journal_record(out, JournalType::mark, [&](Buffer &body) { mark.encode(body); });
}

// But for its place in the pack.
static JournalBlock journal_block(const ReadyBlock &block, Bytes prefix, bool has_checksum)
{
	JournalBlock result;
	BlockRecord &record = result.record;
	record.length = static_cast<std::uint32_t>(prefix.size() + block.payload.size());
	record.raw_size = std::accumulate(block.sizes.begin(), block.sizes.end(), std::uint32_t(0));
	record.items = static_cast<std::uint16_t>(block.sizes.size());
	record.codec = static_cast<std::uint8_t>(block.codec);
	record.kind = static_cast<std::uint8_t>(block.kind);
	result.items = block.digests;
	if (has_checksum && block.codec != Codec::none)
		result.checksum = block_checksum(prefix);
	return result;
}

void StagingWriter::append(std::span<const ReadyBlock> blocks, Bytes journal_records)
{
	if (blocks.empty() && journal_records.empty())
		return;
	// Everything that does not need the lock first.
	std::vector<Buffer> prefixes;
	std::vector<iovec> pieces;
	prefixes.reserve(blocks.size());
	std::uint64_t total = 0;
	for (const ReadyBlock &block : blocks) {
		prefixes.push_back(block_prefix(block.codec, block.kind, block.sizes, block.payload));
		pieces.push_back({prefixes.back().data(), prefixes.back().size()});
		pieces.push_back({const_cast<std::uint8_t *>(block.payload.data()), block.payload.size()});
		total += prefixes.back().size() + block.payload.size();
	}
	locked([&] {
		std::uint64_t offset = state_.pack_size();
		std::vector<JournalBlock> appended;
		Buffer records;
		for (std::size_t i = 0; i < blocks.size(); i++) {
			JournalBlock &block = appended.emplace_back(journal_block(blocks[i], prefixes[i], has_checksums_));
			block.number = state_.block_count() + static_cast<std::uint32_t>(i);
			block.record.offset = offset;
			offset += block.record.length;
			put_journal_record(records, JournalType::block, [&](Buffer &body) { block.encode(body); });
		}
		if (total)
			write_pack_locked(pieces, total);
		dig::append(records, journal_records);
		const std::uint64_t at = journal_size_;
		write_journal_locked(records);
		for (const JournalBlock &block : appended)
			state_.take(block, at);
		appended_bytes_ += total;
	});
}

// The kernel writes out what it drops from the page cache then; of what it keeps, most is on its way
// when the sync at the end comes.
void StagingWriter::write_pack_locked(std::span<iovec> pieces, std::uint64_t size)
{
	const bool keeps_cached = appended_bytes_ + size <= cached_pack_bytes;
	pack_.write_pieces_at(pieces, state_.pack_size(), keeps_cached);
	writing_from_ = std::min(writing_from_, state_.pack_size()); // the pack may be a new one
	const std::uint64_t end =
		(state_.pack_size() + size) / page_size * page_size; // what follows it is written to again
	if (!keeps_cached || end < writing_from_ + writing_step)
		return;
	pack_.start_writing(writing_from_, end - writing_from_);
	writing_from_ = end;
}

void StagingWriter::sync_locked()
{
	if (pack_.is_open() && state_.pack_size() > synced_pack_size_) {
		pack_.sync_data();
		synced_pack_size_ = state_.pack_size();
	}
}

// Before content goes that an older journal names, which a power cut could bring back.
void StagingWriter::settle_journal_locked()
{
	if (!is_journal_settled_)
		sync_directory(directory_);
	is_journal_settled_ = true;
}

void StagingWriter::checkpoint()
{
	// The long part without the lock, so that others go on; what they append meanwhile is left
	// for the next time.
	std::uint64_t size = 0;
	std::uint32_t count = 0;
	StagingId id{};
	// A file of its own: pack_ is closed when a commit seals it meanwhile.
	File pack;
	locked([&] {
		size = state_.pack_size();
		count = state_.block_count();
		id = journal_id_;
		pack = File::open(pack_path());
	});
	pack.sync_data();
	locked([&] {
		if (id != journal_id_)
			return; // sealed meanwhile: the layer was synced
		Buffer record;
		const JournalMark mark{size, count};
		put_journal_record(record, JournalType::mark, [&](Buffer &body) { mark.encode(body); });
		write_journal_locked(record);
		journal_.sync_data();
		synced_pack_size_ = std::max(synced_pack_size_, size);
	});
}

void StagingWriter::finish(IndexUpdate &update, const std::function<void(IndexState &)> &change)
{
	locked([&] {
		if (update.is_empty() && !change && appended_bytes_ == 0 && !has_new_failures_)
			return;
		sync_locked();
		const std::uint64_t merged = journal_size_;
		Buffer records = state_.carried_records();
		write_mark_locked(records);
		write_journal_locked(records);
		journal_.sync_data();
		make_runs_locked(run_threshold);
		update.publish(
			[&](IndexState &state) {
				state.journal_id = journal_id_;
				state.journal_offset = merged;
				state.has_dropped = state.has_dropped || has_unfinished_;
				if (change)
					change(state);
			});
		sync_directory(directory_);
		appended_bytes_ = 0;
		has_new_failures_ = false;
	});
}

void StagingWriter::finish_loose()
{
	if (appended_bytes_ == 0 && (!uses_pack_ || Index::open(directory_).state().has_loose))
		return;
	IndexUpdate nothing(directory_);
	finish(nothing, [](IndexState &state) { state.has_loose = true; });
}

std::optional<JournalCheckpoint> StagingWriter::find_checkpoint(std::string_view path) const
{
	for (const JournalCheckpoint &checkpoint : checkpoints())
		if (checkpoint.file.entry.path == path)
			return checkpoint;
	return {};
}

void StagingWriter::set_failures(std::vector<JournalFailure> failures)
{
	has_new_failures_ = has_new_failures_ || failures.size() || state_.failures().size();
	state_.set_failures(std::move(failures));
}

// Reads block records from an offset of the journal on, in batches sorted by digest.
static LargeVector<RunRecord> next_batch(JournalReader &reader, std::string_view name)
{
	LargeVector<RunRecord> records;
	while (records.size() < run_batch) {
		const std::optional<JournalBlock> block = next_block(reader, name);
		if (!block)
			break;
		for (std::size_t i = 0; i < block->items.size(); i++) {
			RunRecord record{};
			record.digest = block->items[i];
			record.block = block->number;
			record.item = static_cast<std::uint16_t>(i);
			record.kind = block->record.kind;
			records.push_back(record);
		}
	}
	// Of an item that is there twice, the first place comes first.
	std::sort(records.begin(), records.end(), [](const RunRecord &a, const RunRecord &b) {
		if (!a.is_same_item(b))
			return a < b;
		return a.block != b.block ? a.block < b.block : a.item < b.item;
	});
	return records;
}

static RunRecords records_of(std::shared_ptr<LargeVector<RunRecord>> records)
{
	return [records, next = std::size_t(0)]() mutable -> std::optional<RunRecord> {
		if (next == records->size())
			return {};
		return (*records)[next++];
	};
}

// Sorted runs of what the journal has beyond those that are there, once it is worth it.
void StagingWriter::make_runs_locked(std::uint64_t threshold)
{
	std::lock_guard guard(runs_mutex_);
	if (journal_size_ < std::max(runs_cover_, journal_start) + threshold)
		return;
	JournalReader reader(journal_, runs_cover_);
	std::uint64_t number = runs_.empty() ? 0 : run_number(runs_.back()->file().name());
	for (;;) {
		auto batch = std::make_shared<LargeVector<RunRecord>>(next_batch(reader, journal_.name()));
		if (batch->empty())
			return;
		const std::string path = directory_ + "/" + std::to_string(++number) + ".run";
		PublishedFile file(path);
		RunCoverage coverage;
		coverage.journal_offset = runs_cover_ = reader.offset();
		coverage.source = source_of(journal_id_);
		write_run(file.file(), coverage, batch->size(), records_of(batch));
		file.publish(PublishedFile::Durability::none);
		runs_.push_back(std::make_unique<ChunkRun>(File::open(path)));
	}
}

// Every item of the pack, in order.
RunRecords StagingWriter::all_records_locked()
{
	// What no run covers fits into memory, or is made into runs.
	make_runs_locked(4 * run_threshold);
	std::lock_guard guard(runs_mutex_);
	std::vector<RunRecords> sources;
	for (auto &run : runs_)
		sources.push_back(run->records());
	JournalReader reader(journal_, runs_cover_);
	for (;;) {
		auto batch = std::make_shared<LargeVector<RunRecord>>(next_batch(reader, journal_.name()));
		if (batch->empty())
			break;
		sources.push_back(records_of(batch));
	}
	if (sources.empty())
		return [] { return std::optional<RunRecord>(); };
	return merge_records(std::move(sources));
}

// --- publishing ------------------------------------------------------------------------------

// Packs up to this size are always read again, which takes milliseconds; larger ones when somebody may
// have written to them, or when storage had so much time to lose something.
constexpr std::uint64_t always_checked = 32_MiB;
constexpr std::int64_t fresh_ns = 600'000'000'000;

bool StagingWriter::is_fresh_locked() const
{
	const std::int64_t age = now_ns() - state_.last_mark().since_ns;
	return state_.pack_size() > always_checked && age >= 0 && age < fresh_ns;
}

// What becomes a layer is what was written.
void StagingWriter::check_block_locked(const JournalBlock &block, Decompressor &decompressor, Buffer &bytes) const
{
	try {
		if (store_.settings().core.verify_writes)
			check_pack_block(pack_, block, decompressor);
		else if (block.end() > trusted_size_ || !is_fresh_locked())
			check_block_bytes(pack_, block, decompressor, bytes);
	} catch (const CorruptError &error) {
		throw CorruptError(error.what() + std::string(reset_advice));
	}
}

Digest StagingWriter::publish_locked(const LayerHeader &header, std::string_view author,
	std::string_view message, const MerklePeaks &peaks, bool is_full, std::uint64_t sequence, Work &work)
{
	SectionWriter writer(pack_, state_.pack_size());
	writer.begin(Section::block_table);
	JournalReader reader(journal_);
	Decompressor decompressor;
	Buffer bytes;
	std::uint64_t chunks = 0, new_bytes = 0, stored_bytes = 0;
	std::uint32_t count = 0;
	std::uint64_t end = sizeof(Preamble); // of the block before
	const auto clear_up_to = [&](std::uint64_t offset) {
		if (offset <= end)
			return;
		settle_journal_locked();
		pack_.clear(end, offset - end);
	};
	while (const std::optional<JournalBlock> block = next_block(reader, journal_.name())) {
		if (block->kind() == ItemKind::chunk) {
			chunks += block->record.items;
			new_bytes += block->record.raw_size;
			stored_bytes += block->record.length;
		}
		check_interrupted();
		if (block->number != count++ || block->record.offset < end || block->end() > state_.pack_size())
			throw CorruptError("its blocks are not in order" + std::string(reset_advice),
				journal_.name(), reader.record_offset());
		check_block_locked(*block, decompressor, bytes);
		writer.write(raw_bytes(block->record));
		clear_up_to(block->record.offset);
		end = block->end();
	}
	if (reader.offset() != journal_size_ || count != state_.block_count())
		throw CorruptError("a record is damaged" + std::string(reset_advice), journal_.name(), reader.offset());
	clear_up_to(state_.pack_size());
	writer.end();
	work.chunks.set(chunks);
	work.new_bytes.set(new_bytes);
	work.stored_bytes.set(stored_bytes);
	writer.write_chunk_index([this] { return all_records_locked(); });
	const Buffer encoded = header.encoded();
	writer.write_section(Section::header, encoded);
	Buffer section;
	put_u8(section, static_cast<std::uint8_t>(peaks.peaks().size()));
	for (const Digest &peak : peaks.peaks())
		dig::append(section, peak);
	writer.write_section(Section::peaks, section);
	section.clear();
	put_u32(section, static_cast<std::uint32_t>(author.size()));
	dig::append(section, bytes_of(author));
	put_u32(section, static_cast<std::uint32_t>(message.size()));
	dig::append(section, bytes_of(message));
	writer.write_section(Section::texts, section);
	writer.write_footer(is_full);

	JournalNote note;
	note.layer_id = header.id();
	note.pack_size = state_.pack_size();
	note.sequence = sequence;
	note.manifest_root = header.manifest_root;
	Buffer record;
	put_journal_record(record, JournalType::note, [&](Buffer &body) { note.encode(body); });
	pack_.sync_data();
	write_journal_locked(record);
	journal_.sync_data();
	rename_file(pack_path(), store_.paths().layer(note.layer_id));
	// Where the old name comes back in a power cut, the note tells that it is another one of the layer.
	sync_directory(store_.paths().layers());
	pack_ = File();
	state_.take(note);
	return note.layer_id;
}

// --- giving up --------------------------------------------------------------------------------

bool StagingWriter::is_alone_locked()
{
	// Our own mark does not count: it goes with the file.
	journal_ = File::open_with(journal_path(), O_RDWR);
	const bool is_alone = is_unused(journal_);
	mark_in_use(journal_);
	return is_alone;
}

bool StagingWriter::may_drop_blocks(const IndexState &state) const
{
	return is_alone_ && (has_unfinished_ || state.has_dropped) && !state.has_loose;
}

// The journal first: a kill behind it leaves blocks that nobody names.  The index knows another
// journal then, so its first mark says how many blocks there must be.
void StagingWriter::keep_blocks(const std::function<bool(const JournalBlock &)> &is_kept)
{
	locked([&] {
		if (!is_alone_ || !is_alone_locked())
			return;
		sync_locked();
		JournalWriter writer(journal_path(), new_staging_id());
		JournalMark mark;
		const auto put_mark = [&] {
			writer.put(JournalType::mark, [&](Buffer &body) { mark.encode(body); });
		};
		put_mark();
		JournalReader reader(journal_);
		while (std::optional<JournalBlock> block = next_block(reader, journal_.name())) {
			if (!is_kept(*block))
				continue;
			block->number = mark.block_count++;
			mark.pack_size = block->end();
			writer.put(JournalType::block, [&](Buffer &body) { block->encode(body); });
		}
		writer.append(state_.carried_records());
		put_mark();
		writer.replace_first(mark);
		remove_staging_runs(directory_);
		writer.publish(PublishedFile::Durability::file_only);
		known_ = std::make_unique<ItemSet>(directory_);
		open_locked();
	});
}

void StagingWriter::drop_pack()
{
	locked([&] {
		const Index index = Index::open(directory_);
		if (!is_alone_locked() || state_.pack_size() == sizeof(Preamble) || index.state().has_loose)
			return;
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next())
			if (index.is_staged(*at.current()) && !at.current()->is_removed)
				return;
		remove_staging_runs(directory_);
		// The journal first: without its records the pack's content is nothing.  The index goes on
		// to name it, so that what comes back in a power cut is not taken for new.
		journal_ = File();
		pack_ = File();
		remove_file_if_there(journal_path());
		remove_file_if_there(pack_path());
		IndexUpdate(directory_).publish([](IndexState &state) { state.has_dropped = false; });
		sync_directory(directory_);
	});
}

} // namespace dig
