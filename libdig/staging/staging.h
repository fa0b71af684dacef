// The writer's side of a store: the pack that grows, its journal, and who knows what is in it.
//
// Several processes may stage at once.  Each appends whole blocks under staging/lock: first the
// bytes to the pack, then the record to the journal; what the journal does not name is not
// there.  A commit seals the pack at a block boundary and puts a new journal in place; whoever
// was writing notices at its next append and goes on in a new pack.
#ifndef DIG_STAGING_H
#define DIG_STAGING_H

#include <atomic>
#include <memory>
#include <mutex>

#include "libdig/os/lock.h"
#include "libdig/staging/index.h"
#include "libdig/staging/item_set.h"
#include "libdig/staging/journal_state.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// A block that is ready to be appended.
struct ReadyBlock {
	ItemKind kind;
	Codec codec;
	std::vector<std::uint32_t> sizes; // of the items
	std::vector<Digest> digests;
	Bytes payload; // must live until it is appended
};

class StagingWriter {
public:
	// Opens the staging area for appending; recovers first what a killed process left.  Whoever
	// holds the store's lock must say so.
	explicit StagingWriter(Store &store, bool holds_store_lock = false);
	StagingWriter(const StagingWriter &) = delete;

	// True when the item is nowhere yet: then the caller has to append it.  Any thread.
	// What layers hold counts where it is intact, as far as Layer::is_intact() sees.
	bool claim(ItemKind kind, const Digest &digest, Bytes content = {});
	// The same, but what layers hold does not count: for a layer that stands alone.
	bool claim_for_pack(ItemKind kind, const Digest &digest);

	// Appends blocks and, behind their records, framed journal records.  One thread at a time.
	void append(std::span<const ReadyBlock> blocks, Bytes journal_records);

	// Puts everything appended so far on storage: two syncs.
	void checkpoint();
	std::uint64_t appended_bytes() const { return appended_bytes_; }

	// Makes an update of the index, and everything appended, durable: four syncs at most.
	void finish(IndexUpdate &update, const std::function<void(IndexState &)> &change = nullptr);
	// The same for content that no entry names yet: it stays until it is committed.
	void finish_loose();

	// What a killed add had left inside a large file.
	std::optional<JournalCheckpoint> find_checkpoint(std::string_view path) const;
	void forget_checkpoint(std::string_view path) { state_.forget_checkpoint(path); }
	const std::vector<JournalCheckpoint> &checkpoints() const { return state_.checkpoints(); }
	// Source files that could not be taken, for dig status.
	const std::vector<JournalFailure> &failures() const { return state_.failures(); }
	void set_failures(std::vector<JournalFailure> failures);

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

	Store &store() { return store_; }
	const std::string &directory() const { return directory_; }

	// Under the staging lock, with nothing half done by others: calls the function.
	void locked(const std::function<void()> &action);

	// For a publication, inside locked().  Sets what work counts of chunks to what the layer has.
	Digest publish_locked(const LayerHeader &header, std::string_view author,
		std::string_view message, const MerklePeaks &peaks, bool is_full, std::uint64_t sequence,
		Work &work);

private:
	bool prepare_locked();
	bool is_alone_locked();
	bool is_committed_locked() const;
	void open_locked();
	void open_journal_locked(const Index &index);
	void begin_journal_locked();
	void require_in_layers(const Index &index) const;
	void require_content(const Index &index) const;
	void open_pack_locked();
	void publish_recovered_locked();
	void reopen_locked();
	void read_journal_locked(std::uint64_t from, bool is_recovery);
	void recover_file(const JournalRecord &record, DisplacedRecords &displaced);
	bool take_block_locked(const JournalRecord &record, bool must_verify);
	void require_promised(std::uint64_t good) const;
	void truncate_locked(std::uint64_t journal_size);
	bool settle_note_locked();
	void undo_note_locked();
	void write_journal_locked(Bytes records);
	void write_pack_locked(std::span<iovec> pieces, std::uint64_t size);
	void sync_locked();
	void trust_pack_locked();
	void check_block_locked(const JournalBlock &block, Decompressor &decompressor, Buffer &bytes) const;
	bool is_fresh_locked() const;
	void settle_journal_locked();
	void make_runs_locked(std::uint64_t threshold);
	void open_runs();
	RunRecords all_records_locked();
	void write_mark_locked(Buffer &out) const;
	std::string journal_path() const { return directory_ + "/journal"; }
	std::string pack_path() const { return directory_ + "/pack"; }

	Store &store_;
	bool holds_store_lock_;
	std::string directory_;
	LockFile lock_;
	std::mutex mutex_;
	File pack_, journal_;
	StagingId journal_id_{};
	std::uint64_t journal_size_ = 0, synced_pack_size_ = 0;
	bool has_checksums_ = false; // the journal, of its blocks
	JournalState state_;
	// Up to here nobody has written to the pack since it was written, as far as its times tell.
	std::uint64_t trusted_size_ = 0;
	bool is_trusted_ = false; // up to its end then
	std::uint64_t appended_bytes_ = 0, writing_from_ = 0;
	bool has_new_failures_ = false;
	bool is_alone_ = false;           // nobody else has appended since it was opened, or was about to
	bool has_unfinished_ = false;     // blocks of somebody who never finished, perhaps
	bool is_journal_settled_ = false; // its name is on storage
	std::atomic<bool> uses_pack_ = false; // something claimed was there already
	std::unique_ptr<IndexUpdate> recovered_;
	std::unique_ptr<ItemSet> known_;
	std::mutex runs_mutex_;
	std::vector<std::unique_ptr<ChunkRun>> runs_; // of adds before this one
	std::uint64_t runs_cover_ = 0;                // bytes of the journal
};

} // namespace dig

#endif
