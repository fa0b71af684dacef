// How a file gets from the work tree into the index.
//
// The thread of the caller presents files in the order of paths.  Each is compared with its record in
// the index by stat, which reads nothing; what differs is submitted to ingest.  The committer of
// ingest gives units back, in the order of submission: see take().  The two threads share the update
// of the index, under update_mutex_, the failures, and nothing else.
//
// A file is finished when three things are appended: its chunks and the nodes of its chunk list to
// the pack, and behind them its record to the journal.  A record may name only what lies before it,
// because a recovery believes it.  Nodes are a few hundred bytes a file and share blocks; so the record
// of a file with a chunk list is held until the block of its nodes ends, and all records behind it are
// held with it, to keep their order.  What ends the block: 64 such files; as many files of any kind as
// are an eighth of checkpoint_interval, since held records are lost with a killed add and take memory; a
// checkpoint.  A block of nodes for each file would need no holding, and would cost a block with its
// record in the journal for some hundred bytes.  A file of one chunk has no nodes.
//
// Storage is made to keep up by syncs, which last.  After each checkpoint_bytes a thread of its own
// syncs pack and journal, while the workers go on; the next one waits for it.
//
// After a crash the index is what it was.  The next writer takes the finished files from the journal
// into the index, so that the same add finds them unchanged.  Of a large file the journal may hold a
// checkpoint: the offset up to which its chunks are in the pack, and the right edge of its tree, some
// KiB.  try_resume() goes on from there if stat proves that the file is the same.
//
// A stream has no file that could be read again, and no end that could be believed before its writer
// has ended well.  So its record goes to no journal.  With --checkpoint-every, what came so far is put
// into the index itself, as an entry that a commit can take.
//
// A stream in frames is told its end, and may have an origin, which says which content it is and can be had
// again from an offset on.  Of it the journal has checkpoints as of a large file, and more often, since what
// came over a network costs more than what is read again.  If it fails, what came is kept as after a kill.
//
// A file that changed while it was read is read again, behind all others: by then its writer may
// have ended.
#include "libdig/verbs/stage.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/base/trace.h"
#include "libdig/os/clock.h"
#include "libdig/staging/sweep.h"

namespace dig {

// A checkpoint of a stream comes after this part of checkpoint_bytes.
constexpr std::uint64_t stream_part = 4;
// So many chunk lists wait together, and with them finished files: that part of checkpoint_interval.
constexpr std::uint64_t most_held_lists = 64, held_part = 8;
constexpr int most_attempts = 3;

static Index open_current_index(Store &store, StagingWriter &writer)
{
	reconcile_index(store, writer);
	return Index::open(writer.directory());
}

Stage::Stage(Store &store, const StageOptions &options, bool holds_store_lock)
	: store_(store), options_(options), root_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY)),
	  margins_(root_), writer_(store, holds_store_lock),
	  index_(open_current_index(store, writer_)), at_(index_.cursor()),
	  update_(writer_.directory()), nodes_(writer_), known_(store, index_, root_), failures_(writer_, root_)
{
	options_.work->begin_stage("take");
	ingest_ = std::make_unique<Ingest>(store.settings(), store.chunking(), root_,
		static_cast<IngestSink &>(*this), *options_.work);
}

// The workers end before what they use.
Stage::~Stage()
{
	ingest_.reset();
	if (syncer_.joinable())
		syncer_.join();
}

void Stage::put_locked(const IndexRecord &record)
{
	std::lock_guard guard(update_mutex_);
	update_.put(record);
	if (record.sequence != IndexUpdate::new_sequence)
		return;
	staged_count_++;
	if (record.entry.mtime_ns && is_time_limit(*record.entry.mtime_ns) && clamped_times_++ == 0)
		first_clamped_ = record.entry.path;
}

// What a record is replaced with names other content.
void Stage::note_dropped(const IndexRecord &old)
{
	if (index_.is_staged(old) && !old.is_removed && !old.is_by_reference && old.entry.size > 0)
		has_dropped_ = true;
}

std::function<void(IndexState &)> Stage::state_change() const
{
	if (!has_dropped_)
		return nullptr;
	return [](IndexState &state) { state.has_dropped = true; };
}

void Stage::present(const WorkRecord &found)
{
	options_.work->seen.add();
	at_.seek(found.path);
	const IndexRecord *known = at_.current();
	if (known && (known->entry.path != found.path || known->is_removed))
		known = nullptr;
	const EntryKind kind = found.entry_kind();
	const bool has_content = !known || options_.is_by_reference || !known->is_by_reference;
	if (known && known->entry.kind == kind && has_content && !options_.is_rereading &&
		compare_stat(*known, found.stat, margins_.of(found.path, found.stat)) == StatAnswer::same) {
		unchanged_count_++;
		failures_.settle(found.path);
		return;
	}
	if (options_.is_dry_run) {
		options_.tell("add", found.path);
		return;
	}
	Source source;
	source.path = found.path;
	source.kind = kind;
	source.stat = found.stat;
	if (known)
		source.previous = *known;
	if (kind == EntryKind::empty_directory) {
		SourceOutcome outcome;
		outcome.stat = found.stat;
		outcome.stat.size = 0;
		outcome.read_began_ns = now_ns();
		IndexRecord record;
		record.entry = entry_of(source, outcome);
		record.entry.path = std::move(source.path);
		record.set_stat(found.stat, outcome.read_began_ns);
		const bool is_same = known && known->entry == record.entry;
		if (known)
			note_dropped(*known);
		record.sequence = is_same ? known->sequence : IndexUpdate::new_sequence;
		put_locked(record);
		return;
	}
	submit(std::move(source));
}

void Stage::submit(Source source)
{
	want_blocks(source);
	// A digest of the whole needs every byte.
	if (!options_.is_by_reference && !store_.settings().core.file_digest)
		try_resume(source);
	ingest_->submit(std::move(source));
}

// Of a stream nobody knows yet how large it is, nor of what changes.
void Stage::want_blocks(Source &source) const
{
	const bool may_be_large = source.stream || source.takes_changing || source.stat->size > block_tree_least;
	if (store_.settings().core.block_tree && source.kind == EntryKind::file && may_be_large)
		source.blocks = std::make_shared<BlockTree>();
}

// Goes on inside a file that a killed add had begun, if it is the same file still.
bool Stage::try_resume(Source &source)
{
	const std::optional<JournalCheckpoint> from = writer_.find_checkpoint(source.path);
	if (!from || !source.stat || source.attempt > 0)
		return false;
	const IndexRecord &then = from->file;
	writer_.forget_checkpoint(source.path);
	const bool lacks_blocks = source.blocks && from->blocks.empty();
	if (lacks_blocks || !is_untouched(then, *source.stat, margins_.of(source.path, *source.stat)))
		return false;
	source.read_began_ns = then.read_began_ns;
	resume(source, *from);
	return true;
}

// Without a block tree, where one is wanted, the content would have to be had from its beginning.
void Stage::resume(Source &source, const JournalCheckpoint &from)
{
	source.tree = std::make_shared<TreeBuilder>(TreeBuilder::resume(from.tree, "staging/journal", nodes_.sink()));
	source.resume_offset = source.checkpointed = source.taken = from.offset;
	if (!source.blocks)
		return;
	*source.blocks = BlockTree::resume(from.blocks, "staging/journal");
	if (source.blocks->size() != from.offset)
		throw CorruptError("a block tree has another size than its checkpoint", "staging/journal", 0);
}

void Stage::give_up()
{
	end_sync();
	ingest_.reset();
	update_ = IndexUpdate(writer_.directory());
	writer_.drop_pack();
}

void Stage::put_known_root(IndexRecord record, const std::optional<Digest> &file_root)
{
	record.sequence = IndexUpdate::new_sequence;
	known_.add(std::move(record), file_root);
	if (known_.is_full())
		put_known_roots();
}

void Stage::replace_all()
{
	replaces_all_ = true;
	update_.replace_all();
}

void Stage::put_known_roots()
{
	known_.resolve(replaces_all_, [&](const IndexRecord &replaced) { note_dropped(replaced); },
		[&](const IndexRecord &record) { put_locked(record); });
}

void Stage::remove(const std::string &path)
{
	removed_count_++;
	if (options_.is_dry_run) {
		options_.tell("remove", path);
		return;
	}
	IndexRecord record;
	at_.seek(path);
	if (at_.current() && at_.current()->entry.path == path) {
		note_dropped(*at_.current());
		record.has_no_file = at_.current()->has_no_file;
	}
	record.entry.path = path;
	record.is_removed = true;
	record.sequence = IndexUpdate::new_sequence;
	put_locked(record);
}

// --- the sink: units in the order of submission -----------------------------------------------

void Stage::take(const IngestedUnit &unit)
{
	UnitEnd end;
	for (const IngestedUnit::Part &part : unit.parts) {
		if (!part.chunks.empty())
			take_chunks(*part.source, part.chunks, end);
		if (part.outcome)
			finish_source(*part.source, *part.outcome, end);
	}
	store_unit(unit.blocks, end);
}

void Stage::take_chunks(Source &source, std::span<const ChunkRef> chunks, UnitEnd &end)
{
	source.append_to_tree(chunks, nodes_.sink());
	for (const ChunkRef &chunk : chunks)
		bytes_since_sync_ += chunk.size;
	const std::uint64_t offset = source.taken = chunks.back().end();
	if (!source.stream && !options_.is_by_reference && offset < source.stat->size &&
		offset - source.checkpointed >= store_.settings().performance.checkpoint_bytes) {
		JournalCheckpoint checkpoint = checkpoint_of(source);
		checkpoint.file.set_stat(*source.stat, source.read_began_ns);
		checkpoint.put(records_);
		source.checkpointed = offset;
		end.must_flush = true;
	}
	if (!source.origin.empty() &&
		(offset - source.checkpointed) * stream_part >= store_.settings().performance.checkpoint_bytes) {
		checkpoint_of(source).put(records_);
		source.checkpointed = offset;
		end.must_flush = true;
	}
	const bool is_due =
		(source.checkpoint_bytes && offset - source.checkpointed >= source.checkpoint_bytes) ||
		(source.checkpoint_ns && now_ns() - stream_checkpoint_ns_ >= source.checkpoint_ns);
	if (source.stream && is_due) {
		end.stream_record = checkpoint_stream(source, offset);
		end.must_flush = true;
	}
}

// Everything appended so far goes to storage while the workers go on.
void Stage::start_sync()
{
	end_sync();
	std::optional<std::thread> started = start_thread([this] {
		try {
			writer_.checkpoint();
		} catch (...) {
			sync_failure_ = std::current_exception();
		}
	});
	if (started)
		syncer_ = std::move(*started);
	else
		writer_.checkpoint();
}

void Stage::end_sync()
{
	if (syncer_.joinable())
		syncer_.join();
	if (sync_failure_)
		std::rethrow_exception(std::exchange(sync_failure_, nullptr));
}

// Where the source stands.  What identifies a file is not in it.
JournalCheckpoint Stage::checkpoint_of(Source &source)
{
	JournalCheckpoint checkpoint;
	checkpoint.file.entry.path = source.path;
	checkpoint.file.is_removed = true; // it has no entry yet
	checkpoint.origin = source.origin;
	checkpoint.offset = source.taken;
	checkpoint.tree = source.get_tree(nodes_.sink()).checkpoint();
	if (source.blocks)
		checkpoint.blocks = source.blocks->checkpoint();
	return checkpoint;
}

// All but its path.
Entry Stage::entry_of(const Source &source, const SourceOutcome &outcome)
{
	Entry entry;
	entry.kind = source.kind;
	entry.mode = source.kind == EntryKind::symlink ? 0777 : source.has_file() ? outcome.stat.mode : source.stat->mode;
	entry.size = outcome.stat.size;
	if (outcome.digest)
		entry.add_attribute(file_digest_attribute, outcome.digest->bytes);
	if (outcome.is_mixed)
		entry.add_attribute(changed_while_read_attribute, {});
	if (source.blocks && entry.size > block_tree_least)
		entry.add_attribute(block_tree_attribute, source.blocks->root());
	const bool has_mtime = source.has_file() ? store_.settings().core.record_mtime : source.has_mtime;
	if (has_mtime)
		entry.mtime_ns = source.has_file() ? outcome.stat.mtime_ns : source.stat->mtime_ns;
	return entry;
}

static std::string reason_of(const std::string &path, const SourceOutcome &outcome)
{
	if (!outcome.error.empty())
		return outcome.error;
	// It would look changed each time, and no later add could tell that it is.
	if (outcome.is_unsized)
		return quote(path) + " has another size than its file system says, as files of the kernel do; "
			"'dig add --stdin --path=PATH' takes what is read of it";
	return quote(path) + " changed while it was read; --changing=store stores it anyway, with a mark";
}

void Stage::finish_source(Source &source, const SourceOutcome &outcome, UnitEnd &end)
{
	if (source.next_frame && !outcome.error.empty())
		return fail_stream(source, outcome);
	if (source.has_chunks() && (outcome.has_changed || !outcome.error.empty()))
		has_dropped_ = true;
	const bool is_failure = !outcome.error.empty() && !(options_.takes_changing && outcome.has_changed);
	if (!is_failure && outcome.has_changed && source.attempt < most_attempts) {
		Source again;
		again.path = source.path;
		again.kind = source.kind;
		again.previous = source.previous;
		again.attempt = source.attempt + 1;
		again.takes_changing = options_.takes_changing && again.attempt == most_attempts && !outcome.is_unsized;
		std::lock_guard guard(update_mutex_);
		changed_.push_back(std::move(again));
		return;
	}
	if (outcome.has_changed || !outcome.error.empty()) {
		failed(source.path, reason_of(source.path, outcome));
		return;
	}
	IndexRecord record;
	record.entry = entry_of(source, outcome);
	record.entry.path = std::move(source.path);
	if (source.has_one_chunk() && source.resume_offset == 0) {
		record.entry.form = ContentForm::chunk;
		record.entry.content = source.last_chunk;
	} else if (source.has_chunks()) {
		record.entry.form = ContentForm::file_root;
		record.entry.content = source.finish_tree(nodes_.sink());
		held_lists_++;
	}
	source.tree.reset();
	// Of a mix, stat proves nothing: it is read again each time.
	if (source.has_file() && !outcome.is_mixed)
		record.set_stat(outcome.stat, outcome.read_began_ns);
	record.has_no_file = !source.has_file() && !may_have_file(root_, record.entry);
	if (outcome.is_mixed) {
		options_.work->changed_files.add();
		std::lock_guard guard(update_mutex_);
		mixed_.push_back(record.entry.path);
	}
	record.is_by_reference = options_.is_by_reference && record.entry.size > 0 && source.has_file();
	// What had to be stored again, though it is what it was, is for the next commit to publish.
	const bool is_same = source.previous && !source.previous->is_removed && !outcome.has_new &&
		source.previous->entry == record.entry && source.previous->is_by_reference == record.is_by_reference;
	record.sequence = is_same ? source.previous->sequence : IndexUpdate::new_sequence;
	if (is_same && !source.has_file())
		record = *source.previous; // with what stat said of a file at its path
	if (source.previous && source.previous->entry.content != record.entry.content)
		note_dropped(*source.previous);
	put_locked(record);
	// A recovery brings back what the journal has finished.  Whether the end of a stream is an end is
	// known only later: when its writer has not failed, and nobody has interrupted us with it.  Frames tell it.
	if (!source.stream || source.next_frame)
		put_journal_record(records_, JournalType::file, [&](Buffer &body) { record.encode(body); });
	held_records_ += held_lists_ > 0;
	if (held_lists_ >= most_held_lists ||
		held_records_ * held_part >= store_.settings().performance.checkpoint_interval)
		end.must_flush = true;
	failures_.settle(record.entry.path);
}

void Stage::store_unit(std::span<const ReadyBlock> blocks, const UnitEnd &end)
{
	const Region region("store");
	const bool is_due = bytes_since_sync_ >= store_.settings().performance.checkpoint_bytes;
	// Records of files wait while their nodes do.
	const bool holds = held_lists_ > 0 && !end.must_flush && !is_due;
	if (!holds && (!records_.empty() || end.stream_record))
		nodes_.end_block();
	nodes_.append(blocks, holds ? Bytes() : Bytes(records_));
	if (!holds) {
		records_.clear();
		held_records_ = held_lists_ = 0;
	}
	if (end.stream_record) {
		end_sync();
		IndexUpdate update(writer_.directory());
		update.put(*end.stream_record);
		writer_.finish(update, state_change());
		bytes_since_sync_ = 0;
	} else if (is_due) {
		start_sync();
		bytes_since_sync_ = 0;
	}
}

// --- the end ------------------------------------------------------------------------------

// Files that changed while they were read are read again.
void Stage::retry_changed()
{
	for (;;) {
		std::vector<Source> again;
		{
			std::lock_guard guard(update_mutex_);
			again.swap(changed_);
		}
		if (again.empty())
			return;
		for (Source &source : again) {
			std::optional<FileStat> stat;
			try {
				stat = find_stat_beneath(root_, source.path);
			} catch (const SystemError &error) {
				failed(source.path, error.what());
				continue;
			}
			if (!stat || (stat->type != FileType::regular && stat->type != FileType::symlink)) {
				failed(source.path, "cannot open " + quote(source.path) + ": " + std::strerror(ENOENT));
				continue;
			}
			source.stat = stat;
			source.kind = stat->type == FileType::symlink ? EntryKind::symlink : EntryKind::file;
			source.takes_changing = source.takes_changing && source.kind == EntryKind::file;
			want_blocks(source);
			ingest_->submit(std::move(source));
		}
		ingest_->drain();
	}
}

// What interrupted adds have left, if this one did not go on with it.
void Stage::drop_leftovers()
{
	const Index index = Index::open(writer_.directory());
	if (keeps_begun_ || !writer_.has_leftovers() || !writer_.may_drop_blocks(index.state()))
		return;
	sweep_pack(writer_, index);
	// The index is to know the journal that is in place now.
	IndexUpdate nothing(writer_.directory());
	writer_.finish(nothing, [](IndexState &state) { state.has_dropped = false; });
}

void Stage::publish()
{
	put_known_roots();
	ingest_->drain();
	end_sync();
	nodes_.end_block();
	store_unit({}, {.must_flush = true, .stream_record = {}});
	writer_.finish(update_, state_change());
	index_ = Index::open(writer_.directory());
	at_ = index_.cursor();
}

const std::vector<JournalFailure> &Stage::finish()
{
	put_known_roots();
	ingest_->drain();
	retry_changed();
	options_.work->begin_stage("finish");
	StepClock clock(*options_.work);
	const Region region("finish");
	end_sync();
	nodes_.end_block();
	store_unit({}, {.must_flush = true, .stream_record = {}});
	if (options_.is_dry_run)
		return failures_.all();
	failures_.record();
	writer_.finish(update_, state_change());
	drop_leftovers();
	index_ = Index::open(writer_.directory());
	at_ = index_.cursor();
	clock.lap(Step::finish);
	return failures_.all();
}

} // namespace dig
