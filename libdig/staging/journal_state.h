// What the records of a journal mean together.
//
// A journal is a sequence of events.  Whoever reads one needs what is true at its end: whether a
// layer is about to be published, how far the pack reaches, what is not finished.  The rules are
// here, and nowhere else:
//
//     note        the last one counts, until it is cancelled
//     mark        the last one counts; the pack reaches as far as any mark or block says
//     checkpoint  the last one of a path counts, until the file is finished
//     block tree  belongs to the checkpoint of its path and offset
//     failed      the last one of a path counts
//     block       counts always
//
// The index holds what a journal had finished up to an offset, which is `merged` here.  An add that
// ends writes its checkpoints and failures again behind that offset, so that those before it do
// not count.  A finished file before it is in the index.
#ifndef DIG_JOURNAL_STATE_H
#define DIG_JOURNAL_STATE_H

#include <unordered_set>

#include "libdig/staging/index_file.h"
#include "libdig/staging/journal.h"

namespace dig {

// Up to which offset the index has what this journal finished; 0 where it knows another journal.
std::uint64_t merged_offset(const IndexState &index, const StagingId &journal);

class JournalState {
public:
	JournalState() = default;
	// Of a journal that is read from this offset on.
	explicit JournalState(std::uint64_t from, std::uint64_t merged = 0);
	// What the journal has behind what the index has of it.
	static JournalState behind(const File &journal, const IndexState &index);

	// The next record of the journal.  CorruptError when it cannot be decoded.
	void take(const JournalRecord &record, std::string_view name);
	// The same for records that are decoded already, or are only now written.
	void take(const JournalBlock &block, std::uint64_t offset);
	void take(const JournalMark &mark, std::uint64_t offset);
	void take(const JournalNote &note) { note_ = note; }
	void cancel_note() { note_.reset(); }
	// The rest of a journal.
	void take_all(JournalReader &reader, std::string_view name);

	// The layer that is about to be published.
	const std::optional<JournalNote> &note() const { return note_; }
	const JournalMark &last_mark() const { return last_mark_; }
	// What was appended, as far as records say.
	std::uint64_t pack_size() const { return pack_size_; }
	std::uint32_t block_count() const { return block_count_; }
	// Of a journal that was read from its beginning: a mark counts more blocks than records name, so
	// that one of these is lost.
	bool misses_blocks() const { return is_from_start_ && named_ < counted_; }
	std::uint64_t merged() const { return merged_; }
	// For a journal that goes on while the index does.
	void set_merged(std::uint64_t merged) { merged_ = merged; }
	bool has_mark_behind_merged() const { return has_mark_behind_merged_; }
	// Bytes of content in chunks that no entry of the index needs yet.
	std::uint64_t content_behind_merged() const { return content_behind_merged_; }

	const std::vector<JournalCheckpoint> &checkpoints() const { return checkpoints_; }
	void forget_checkpoint(std::string_view path);
	// For one that is in no record yet; carried_records() has it then.
	void keep_checkpoint(JournalCheckpoint checkpoint) { take(std::move(checkpoint)); }
	const std::vector<JournalFailure> &failures() const { return failures_; }
	void set_failures(std::vector<JournalFailure> failures);
	// Checkpoints and failures as framed records, for what carries them on.
	Buffer carried_records() const;

private:
	void take(JournalCheckpoint checkpoint);
	void take(JournalBlockTree tree);
	void take(JournalFailure failure);

	std::uint64_t merged_ = 0;
	bool is_from_start_ = false;
	std::optional<JournalNote> note_;
	JournalMark last_mark_;
	std::uint64_t pack_size_ = sizeof(Preamble);
	std::uint32_t block_count_ = 0;
	std::uint32_t named_ = 0, counted_ = 0; // blocks, by their records and by marks
	bool has_mark_behind_merged_ = false;
	std::uint64_t content_behind_merged_ = 0;
	std::vector<JournalCheckpoint> checkpoints_;
	std::vector<JournalFailure> failures_;
	std::unordered_set<std::size_t> failed_; // hashes of their paths
};

// The next block that the journal names; other records are passed over.
std::optional<JournalBlock> next_block(JournalReader &reader, std::string_view name);
// The next mark.
std::optional<JournalMark> next_mark(JournalReader &reader, std::string_view name);
// The last mark from where the reader stands on.
std::optional<JournalMark> find_last_mark(JournalReader &reader, std::string_view name);

} // namespace dig

#endif
