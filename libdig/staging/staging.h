// The writer's side of a store: what a tool that stages has open.
//
// Several processes may stage at once.  Each appends whole blocks under staging/lock: first the
// bytes to the pack, then the record to the journal; what the journal does not name is not
// there.  A commit seals the pack at a block boundary and puts a new journal in place; whoever
// was writing notices at its next append and goes on in a new pack.
//
// The files are those of `pack` and `staged_runs`; `recovery` finds out what is in place.
#ifndef DIG_STAGING_H
#define DIG_STAGING_H

#include <atomic>
#include <memory>
#include <mutex>

#include "libdig/os/lock.h"
#include "libdig/staging/index_update.h"
#include "libdig/staging/item_set.h"
#include "libdig/staging/pack.h"
#include "libdig/staging/staged_runs.h"
#include "libdig/store/store.h"

namespace dig {

struct OpenStaging;

class StagingWriter {
public:
	// Opens the staging area for appending; recovers first what a killed process left.  Whoever
	// holds the store's lock must say so.
	explicit StagingWriter(Store &store, bool holds_store_lock = false);
	StagingWriter(const StagingWriter &) = delete;

	// True when the item is nowhere yet: then the caller has to append it.  Any thread.
	// What layers hold counts where it is intact, as far as Layer::is_intact() sees.
	bool claim(ItemKind kind, const Digest &digest, Bytes content = {});
	// Whether the pack has the item, as far as this writer knows.  Any thread.
	bool has_in_pack(ItemKind kind, const Digest &digest);
	// As claim(), but what layers hold does not count: for a layer that stands alone.
	bool claim_for_pack(ItemKind kind, const Digest &digest);

	// Appends blocks and, behind their records, framed journal records.  One thread at a time.
	void append(std::span<const ReadyBlock> blocks, Bytes journal_records);

	// Puts everything appended so far on storage: two syncs.
	void checkpoint();
	std::uint64_t appended_bytes() const { return pack_.appended_bytes(); }

	// Makes an update of the index, and everything appended, durable: four syncs at most.
	void finish(IndexUpdate &update, const std::function<void(IndexState &)> &change = nullptr);
	// The same for content that no entry names yet: it stays until it is committed.
	void finish_loose();

	// What a killed add had left inside a large file.
	std::optional<JournalCheckpoint> find_checkpoint(std::string_view path) const;
	void forget_checkpoint(std::string_view path) { pack_.state().forget_checkpoint(path); }
	// finish() writes it.
	void keep_checkpoint(JournalCheckpoint checkpoint) { pack_.state().keep_checkpoint(std::move(checkpoint)); }
	const std::vector<JournalCheckpoint> &checkpoints() const { return pack_.state().checkpoints(); }
	// Whether interrupted adds have left content that this writer did not go on with.
	bool has_leftovers() const { return is_alone_ && (has_unfinished_ || !checkpoints().empty()); }
	// Source files that could not be taken, for dig status.
	const std::vector<JournalFailure> &failures() const { return pack_.state().failures(); }
	void set_failures(std::vector<JournalFailure> failures);

	// Whether what is staged may rely on content that dig gc takes away now, or has taken away.  Inside
	// locked(), with what takes it away.
	void mark_lacking(bool may_lack);

	// Empties the pack, when nothing staged needs it and nobody else is adding.  The writer is used
	// up with it.
	void drop_pack();
	// Whether blocks that nobody needs may be in the pack, and nothing else speaks against dropping
	// them.
	bool may_drop_blocks(const IndexState &state) const;
	// Puts a journal in place that names these blocks only.  Behind the last of them the pack is cut
	// off now; what lies between them becomes zeros when it is published.  Nothing happens when
	// somebody else is adding.
	void keep_blocks(const std::function<bool(const JournalBlock &)> &is_kept);
	// Moves what lies behind a gap between blocks into it, if that fits and makes the pack shorter by
	// 16 KiB.  Costs as much as the blocks that move, and two syncs more.
	void close_gap();

	Store &store() { return store_; }
	const std::string &directory() const { return directory_; }

	// Under the staging lock, with nothing half done by others: calls the function.
	void locked(const std::function<void()> &action);

	// Inside locked(): what is staged, and all its items in order.
	Pack &pack() { return pack_; }
	RunRecords pack_items() { return runs_.all(pack_); }

private:
	void join_adders();
	void recover();
	void enter(std::optional<LockFile::Guard> &guard);
	OpenStaging open_files();
	bool catch_up_locked();
	void open_locked();
	void reopen_locked();
	bool settle_note_locked();
	struct Gap;
	void each_kept(const std::vector<bool> &kept, const std::function<void(JournalBlock &)> &take) const;
	Gap find_gap(const std::vector<bool> &kept) const;
	void rewrite_journal(const std::vector<bool> &kept, const Gap &gap);
	void fill_gap(const Gap &gap, const std::vector<bool> &kept) const;

	Store &store_;
	bool holds_store_lock_;
	std::uint64_t drops_ = 0; // of the layer table, when it was opened
	std::optional<Lock> adding_;
	std::string directory_;
	LockFile lock_;
	std::mutex mutex_;
	Pack pack_;
	StagedRuns runs_; // of adds before this one
	std::unique_ptr<ItemSet> known_;
	bool has_new_failures_ = false;
	bool is_alone_ = false;       // nobody else has appended since it was opened, or was about to
	bool has_unfinished_ = false; // blocks of somebody who never finished, perhaps
	std::atomic<bool> uses_pack_ = false; // something claimed was there already
};

} // namespace dig

#endif
