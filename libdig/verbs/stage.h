// Adding to the staging area: what the work tree has, compared with the index, taken where it
// differs, recorded in the journal and, at the end, in the index.
#ifndef DIG_STAGE_H
#define DIG_STAGE_H

#include <atomic>

#include "libdig/ingest/ingest.h"
#include "libdig/os/thread.h"
#include "libdig/staging/clock_margin.h"
#include "libdig/staging/node_blocks.h"
#include "libdig/staging/reconcile.h"
#include "libdig/staging/staging.h"
#include "libdig/verbs/known_roots.h"
#include "libdig/verbs/stage_failures.h"
#include "libdig/worktree/work_record.h"

namespace dig {

struct StageOptions {
	bool is_by_reference = false;
	bool takes_changing = false; // files that change during each reading are stored with a mark
	bool is_rereading = false; // files are read even if stat shows no change
	bool is_dry_run = false; // nothing is staged; tell gets what would be
	Work *work = &unseen_work(); // stages "take" and "finish"
	std::function<void(std::string_view what, const std::string &path)> tell; // what: "add", "remove"
};

class Stage : private IngestSink {
public:
	// Opens the staging area for writing and brings the index up to the newest state.
	Stage(Store &store, const StageOptions &options, bool holds_store_lock = false);
	~Stage() override;

	// A file, symlink or empty directory of the work tree.  Calls in the order of paths are
	// cheap; others cost a look-up.
	void present(const WorkRecord &found);
	// The content of a stream.  What the work tree has at its path does not matter.  Nothing of it is
	// staged before finish(), but for its checkpoints.
	struct Stream {
		std::string path;
		File content;
		std::uint16_t mode = 0644;
		std::optional<std::int64_t> mtime_ns;
		// Every so many bytes, or nanoseconds, the content so far is staged, so that it can be
		// committed.  0 for only at the end.
		std::uint64_t checkpoint_bytes = 0;
		std::int64_t checkpoint_ns = 0;

		// Content that comes in frames (Source::next_frame).  With an origin, it is noted how far it came,
		// so that another add, or this one, can go on there: is_resumed, where find_begun() has a place.
		std::function<ContentFrame()> next_frame;
		std::optional<std::uint64_t> size;
		std::string origin;
		bool is_resumed = false;
		// An entry that the index has just so keeps its record, so that it is not staged anew.
		bool keeps_same = false;
	};
	void stream(Stream stream);
	// A small file, or a symbolic link, whose content is in memory; what the index has just so is kept.  At
	// most largest_content() bytes, and no more than a chunk.
	struct Content {
		std::string path;
		EntryKind kind = EntryKind::file;
		std::uint16_t mode = 0644;
		std::optional<std::int64_t> mtime_ns;
		Buffer bytes;
	};
	void content(Content content);
	std::uint64_t largest_content() const { return ingest_->small_limit(); }
	// An entry without content, or with that of an entry that is in the index.  What the index has just so
	// is kept.
	void put(IndexRecord record);
	// Waits until everything submitted was read from where it comes from.
	void wait_until_read() { ingest_->wait_until_read(); }
	// All that was submitted so far is staged and durable; index() has it.  More may follow.
	void publish();
	// Where an earlier stream of this path has ended before its end.
	struct BegunStream {
		std::uint64_t offset = 0;
		std::string origin;
	};
	std::optional<BegunStream> find_begun(const std::string &path) const;
	void forget_begun(const std::string &path) { writer_.forget_checkpoint(path); }
	// After drain(): why the last stream that came in frames is not staged.  What came of it is kept for
	// the next add, unless it has changed.
	struct StreamFailure {
		std::string message;
		bool has_changed = false;
	};
	std::optional<StreamFailure> take_stream_failure();
	// What is kept of streams stays when this add ends.
	void keep_begun() { keeps_begun_ = true; }
	// Waits for everything submitted, without making it durable.
	void drain() { ingest_->drain(); }
	// Drops all that was submitted; the staging area is as it was.
	void give_up();
	// Stages an entry by its file root; the content is stored or staged already.  Error, perhaps not
	// before finish(), when the content is nowhere or has another size.  No root is a removal.  A later
	// call for the same path replaces an earlier one.
	void put_known_root(IndexRecord record, const std::optional<Digest> &file_root);
	// The index is to hold what is put and nothing else.  Called before anything is put.
	void replace_all();
	void remove(const std::string &path);
	// The path and all below it was looked at: failures there of earlier adds are forgotten.
	void looked_at(const std::string &path) { failures_.look_at(path); }
	// A source that could not be taken; its entry stays.
	void failed(const std::string &path, const std::string &message) { failures_.add(path, message); }

	// Waits until all that was submitted is staged, and makes the staging area durable.  Returns the
	// failures.  Those of paths that lead to something are recorded for dig status.
	const std::vector<JournalFailure> &finish();

	// Index records within a scope in order, for finding deletions.
	IndexCursor cursor() const { return index_.cursor(); }
	const Index &index() const { return index_; }
	StagingWriter &writer() { return writer_; }
	std::uint64_t staged_count() const { return staged_count_; }
	std::uint64_t unchanged_count() const { return unchanged_count_; }
	// Files that were stored with the mark that they changed while they were read.
	const std::vector<std::string> &mixed() const { return mixed_; }
	// What was submitted and has no place beside what was submitted later, after finish().
	const IndexUpdate::Displaced &displaced() const { return update_.displaced(); }
	std::uint64_t removed_count() const { return removed_count_; } // asked for by remove()
	// Staged files whose time is outside of what an entry can hold, and one of them.
	std::uint64_t clamped_times() const { return clamped_times_; }
	const std::string &first_clamped() const { return first_clamped_; }
	std::uint64_t recorded_failure_count() const { return failures_.recorded_count(); } // after finish()

private:
	void put_known_roots();
	void submit(Source source);

	// What is to happen at the end of a unit, beside the storing of its blocks.
	struct UnitEnd {
		bool must_flush = false; // records of files wait no longer for their nodes
		std::optional<IndexRecord> stream_record; // what of a stream is to be committable now
	};
	bool stores_content() const override { return !options_.is_by_reference; }
	bool claim(const Digest &id, Bytes content) override { return writer_.claim(ItemKind::chunk, id, content); }
	void take(const IngestedUnit &unit) override;
	void take_chunks(Source &source, std::span<const ChunkRef> chunks, UnitEnd &end);
	void finish_source(Source &source, const SourceOutcome &outcome, UnitEnd &end);
	void store_unit(std::span<const ReadyBlock> blocks, const UnitEnd &end);
	IndexRecord checkpoint_stream(Source &source, std::uint64_t offset);
	JournalCheckpoint checkpoint_of(Source &source);
	void fail_stream(Source &source, const SourceOutcome &outcome);
	void start_sync();
	void end_sync();
	Entry entry_of(const Source &source, const SourceOutcome &outcome);
	void note_dropped(const IndexRecord &old);
	std::function<void(IndexState &)> state_change() const;
	void put_locked(const IndexRecord &record);
	void retry_changed();
	void want_blocks(Source &source) const;
	bool try_resume(Source &source);
	void resume(Source &source, const JournalCheckpoint &from);
	void drop_leftovers();

	Store &store_;
	StageOptions options_;
	File root_;
	ClockMargins margins_;
	StagingWriter writer_;
	Index index_;
	IndexCursor at_;
	std::mutex update_mutex_;
	IndexUpdate update_;
	std::unique_ptr<Ingest> ingest_;

	// These belong to the thread that takes units.
	NodeBlocks nodes_;
	Buffer records_; // journal records that wait for their nodes
	std::uint64_t held_lists_ = 0, held_records_ = 0; // files with a chunk list, and all since the first
	std::uint64_t bytes_since_sync_ = 0;
	std::thread syncer_; // syncs what was appended while the workers go on
	std::exception_ptr sync_failure_;
	std::int64_t stream_checkpoint_ns_ = 0;

	std::optional<StreamFailure> stream_failure_;
	std::vector<JournalCheckpoint> begun_; // of streams that have failed
	bool keeps_begun_ = false;

	KnownRoots known_;
	bool replaces_all_ = false;
	std::vector<Source> changed_;
	StageFailures failures_;
	std::uint64_t clamped_times_ = 0;
	std::string first_clamped_;
	std::vector<std::string> mixed_;
	std::uint64_t removed_count_ = 0;
	std::uint64_t staged_count_ = 0, unchanged_count_ = 0;
	std::atomic<bool> has_dropped_ = false; // staged content that no entry names any more
};

} // namespace dig

#endif
