// A journal may have a million records, and every writer and many readers ask what they mean
// together.  So records are folded as they pass.  What is kept has the size of what is unfinished,
// which is checkpoints and failures, and not of the journal.
//
// The pack puts the blocks and notes that it writes into the state that it read.  So the numbers of
// blocks go on from there, and nothing is read a second time.
#include "libdig/staging/journal_state.h"

namespace dig {

std::uint64_t merged_offset(const IndexState &index, const StagingId &journal)
{
	return index.journal_id == journal ? index.journal_offset : 0;
}

JournalState::JournalState(std::uint64_t from, std::uint64_t merged)
	: merged_(merged), is_from_start_(from <= journal_start)
{
}

JournalState JournalState::behind(const File &journal, const IndexState &index)
{
	const std::uint64_t merged = merged_offset(index, JournalReader(journal).id());
	JournalReader reader(journal, merged);
	JournalState state(reader.offset(), merged);
	state.take_all(reader, journal.name());
	return state;
}

void JournalState::take_all(JournalReader &reader, std::string_view name)
{
	while (const std::optional<JournalRecord> record = reader.next())
		take(*record, name);
}

void JournalState::take(const JournalRecord &record, std::string_view name)
{
	const std::uint64_t offset = record.offset;
	// A type that is not here is of a later version, which writes such only where they may be passed over.
	switch (record.type) {
	case JournalType::block: return take(JournalBlock::decode(record.body, name, offset), offset);
	case JournalType::mark: return take(JournalMark::decode(record.body, name, offset), offset);
	case JournalType::note: return take(JournalNote::decode(record.body, name, offset));
	case JournalType::cancelled: return cancel_note();
	case JournalType::file: {
		// A journal may have a million of these, and most adds leave no checkpoint.
		if (checkpoints_.empty())
			return;
		Cursor cursor(record.body, name, offset);
		return forget_checkpoint(IndexRecord::decode(cursor).entry.path);
	}
	case JournalType::checkpoint:
	case JournalType::stream:
		if (offset >= merged_)
			take(JournalCheckpoint::decode(record.type, record.body, name, offset));
		return;
	case JournalType::block_tree:
		if (offset >= merged_)
			take(JournalBlockTree::decode(record.body, name, offset));
		return;
	case JournalType::failed:
		if (offset >= merged_)
			take(JournalFailure::decode(record.body, name, offset));
		return;
	}
}

void JournalState::take(const JournalBlock &block, std::uint64_t offset)
{
	pack_size_ = std::max(pack_size_, block.end());
	block_count_ = std::max(block_count_, block.number + 1);
	named_++;
	if (offset >= merged_ && block.kind() == ItemKind::chunk)
		content_behind_merged_ += block.record.raw_size;
}

void JournalState::take(const JournalMark &mark, std::uint64_t offset)
{
	last_mark_ = mark;
	// A journal that begins with a mark for another one's blocks tells the size by that alone.
	pack_size_ = std::max(pack_size_, mark.pack_size);
	block_count_ = std::max(block_count_, mark.block_count);
	counted_ = std::max(counted_, mark.block_count);
	has_mark_behind_merged_ = has_mark_behind_merged_ || offset >= merged_;
}

void JournalState::take(JournalCheckpoint checkpoint)
{
	forget_checkpoint(checkpoint.file.entry.path);
	checkpoints_.push_back(std::move(checkpoint));
}

void JournalState::take(JournalBlockTree tree)
{
	for (JournalCheckpoint &checkpoint : checkpoints_)
		if (checkpoint.file.entry.path == tree.path && checkpoint.offset == tree.offset)
			checkpoint.blocks = std::move(tree.blocks);
}

void JournalState::take(JournalFailure failure)
{
	// A path comes twice only when several adds have failed at it: so the list is not searched for each.
	if (!failed_.insert(std::hash<std::string>()(failure.path)).second)
		std::erase_if(failures_, [&](const JournalFailure &at) { return at.path == failure.path; });
	failures_.push_back(std::move(failure));
}

void JournalState::set_failures(std::vector<JournalFailure> failures)
{
	failures_ = std::move(failures);
	failed_.clear();
	for (const JournalFailure &failure : failures_)
		failed_.insert(std::hash<std::string>()(failure.path));
}

void JournalState::forget_checkpoint(std::string_view path)
{
	std::erase_if(checkpoints_, [&](const JournalCheckpoint &at) { return at.file.entry.path == path; });
}

Buffer JournalState::carried_records() const
{
	Buffer records;
	for (const JournalCheckpoint &checkpoint : checkpoints_)
		checkpoint.put(records);
	for (const JournalFailure &failure : failures_)
		put_journal_record(records, JournalType::failed, [&](Buffer &body) { failure.encode(body); });
	return records;
}

std::optional<JournalBlock> next_block(JournalReader &reader, std::string_view name)
{
	while (const std::optional<JournalRecord> record = reader.next())
		if (record->type == JournalType::block)
			return JournalBlock::decode(record->body, name, record->offset);
	return {};
}

std::optional<JournalMark> next_mark(JournalReader &reader, std::string_view name)
{
	while (const std::optional<JournalRecord> record = reader.next())
		if (record->type == JournalType::mark)
			return JournalMark::decode(record->body, name, record->offset);
	return {};
}

std::optional<JournalMark> find_last_mark(JournalReader &reader, std::string_view name)
{
	std::optional<JournalMark> last;
	while (const std::optional<JournalMark> mark = next_mark(reader, name))
		last = mark;
	return last;
}

} // namespace dig
