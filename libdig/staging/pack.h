// The pack and its journal: what is staged, as it grows.
//
// A Pack has both files open and knows what the journal says (JournalState).  It appends blocks,
// marks what is on storage, and cuts off what nobody was promised.  What an interrupted writer left
// is for recovery.h to find out; what is staged under which path is the index's.
//
// All calls are under staging/lock, and by one thread at a time, but for FramedBlocks.
#ifndef DIG_PACK_H
#define DIG_PACK_H

#include "libdig/os/file.h"
#include "libdig/staging/journal_state.h"

namespace dig {

// A block that is ready to be appended.
struct ReadyBlock {
	ItemKind kind;
	Codec codec;
	std::vector<std::uint32_t> sizes; // of the items
	std::vector<Digest> digests;
	Bytes payload; // must live until it is appended
};

// Blocks as they lie in the pack: what can be made of them without the lock.  Refers to the blocks.
class FramedBlocks {
public:
	explicit FramedBlocks(std::span<const ReadyBlock> blocks);

	std::uint64_t size() const { return size_; }
	std::span<iovec> pieces() { return pieces_; }
	// Their journal records, when they are appended at an offset.
	std::vector<JournalBlock> records(std::uint64_t offset, std::uint32_t number, bool with_checksums) const;

private:
	std::span<const ReadyBlock> blocks_;
	std::vector<Buffer> prefixes_;
	std::vector<iovec> pieces_;
	std::uint64_t size_ = 0;
};

class Pack {
public:
	explicit Pack(std::string directory) : directory_(std::move(directory)) {}
	Pack(const Pack &) = delete;

	const std::string &directory() const { return directory_; }
	std::string path() const { return directory_ + "/pack"; }
	std::string journal_path() const { return directory_ + "/journal"; }

	// --- opening -------------------------------------------------------------------------
	// A new journal, in place of one that nothing needs.  Both files are closed.
	void begin();
	// The journal in place becomes the open one, unread, and marked as in use.  True when nobody else has
	// it open.
	bool open_journal();
	bool has_journal() const { return journal_.is_open(); }
	// Opens the pack where it is there.
	void find_file();
	// Opens the pack, or makes it, when the journal was read.  CorruptError when it does not reach as
	// far as the journal says.  Its content is trusted, if its times show that it may be.
	void open_file();
	void close();
	// True when nobody else has the journal open.
	bool is_alone();

	const File &file() const { return pack_; }
	const File &journal() const { return journal_; }
	const StagingId &id() const { return id_; }
	std::uint64_t journal_size() const { return journal_size_; }
	std::uint64_t size() const { return state_.pack_size(); }
	JournalState &state() { return state_; }
	const JournalState &state() const { return state_; }

	// The journal is read up to here.
	void set_journal_size(std::uint64_t size) { journal_size_ = size; }
	// The pack is known to be on storage up to here.
	void set_synced_size(std::uint64_t size) { synced_size_ = size; }
	std::uint64_t synced_size() const { return synced_size_; }
	// Cuts the journal off, and the pack behind its last block.
	void cut(std::uint64_t journal_size);
	void cut_file();
	// The layer at this path becomes the pack again, and the note of the journal is cancelled.
	void take_back(const std::string &layer);
	// The pack becomes the layer at this path, with this note; three syncs.
	void become(const std::string &layer, const JournalNote &note);

	// --- growing -------------------------------------------------------------------------
	// Bytes to the pack, then records to the journal: what no record names is not there.
	void append(FramedBlocks &blocks, Bytes journal_records);
	void append_journal(Bytes records);
	// Since they were last forgotten.
	std::uint64_t appended_bytes() const { return appended_bytes_; }
	void forget_appended() { appended_bytes_ = 0; }
	// Checkpoints, failures and a mark end what was appended.  Returns the offset before them; the
	// journal is on storage then, and the pack before it.
	std::uint64_t end_appended();
	// Marks that a part of the pack is on storage.
	void mark_synced(std::uint64_t size, std::uint32_t block_count);
	void sync();
	void sync_journal() { journal_.sync_data(); }
	// The journal's name comes to storage: before content goes that an older journal names, which a
	// power cut could bring back.
	void settle_journal();
	// Makes zeros of a part of the pack.
	void clear(std::uint64_t offset, std::uint64_t size);

	// Up to here nobody has written to the pack since it was written, as far as its times tell.
	std::uint64_t trusted_size() const { return trusted_size_; }

private:
	bool has_tail() const;
	void write_file(std::span<iovec> pieces, std::uint64_t size);
	JournalMark mark() const;
	void trust();

	std::string directory_;
	File pack_, journal_;
	StagingId id_{};
	bool has_checksums_ = false; // the journal, of its blocks
	JournalState state_;
	std::uint64_t journal_size_ = 0, synced_size_ = 0;
	std::uint64_t trusted_size_ = 0;
	bool is_trusted_ = false; // up to its end when it was opened
	std::uint64_t appended_bytes_ = 0, writing_from_ = 0;
	bool is_journal_settled_ = false; // its name is on storage
};

} // namespace dig

#endif
