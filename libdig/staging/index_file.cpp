// Records are written once, front to back, and flushed in pieces of 256 KiB.  The table is held in
// memory until the end and stands behind the blocks, since nobody knows their number before.  A
// reader checks the tail first, then the table, and each block when it comes to it.
//
//     u16 shared | u16 size of the rest | rest of the path | record
//
// "lib/a.c" and then "lib/b.c" are 0, 7, "lib/a.c" and 4, 3, "b.c".  Neighbours in a tree share
// most of their paths, so a path takes little more than its last component.
//
// A look-up in the table gives the one block that may have a path, and reads the block from its
// beginning.  16 KiB are about a hundred records: smaller blocks would make the table larger, which
// is in memory, and larger ones the look-up.
#include "libdig/staging/index_file.h"

#include <algorithm>

namespace dig {

constexpr std::size_t block_size = 16_KiB;
constexpr std::size_t max_block = 256_KiB;   // one record of the longest path and attributes
constexpr std::uint16_t no_file_feature = 1; // of a preamble: there are records with that flag
constexpr std::uint32_t dropped_flag = 1, has_manifest_flag = 2, loose_flag = 4,
			lacking_flag = 8;

IndexState state_of(const IndexTail &tail)
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
	state.may_lack = tail.flags & lacking_flag;
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

// --- writing ---------------------------------------------------------------------------------

IndexFileWriter::IndexFileWriter(const File &file) : file_(file)
{
	append(pending_, raw_bytes(make_preamble(index_magic)));
}

void IndexFileWriter::put(const IndexRecord &record)
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

void IndexFileWriter::finish(const StagingId &id, const StagingId &base_id, const IndexState &state)
{
	end_block();
	IndexTail tail{};
	tail.table_offset = offset_ + pending_.size();
	tail.block_count = block_count_;
	tail.flags = (state.has_dropped ? dropped_flag : 0) | (state.has_loose ? loose_flag : 0) |
		(state.may_lack ? lacking_flag : 0) |
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
	// Only a file with such records asks for the feature, so that a version of dig without it reads
	// all others.  That is known at the end, and the preamble is written once more.
	if (has_no_file_)
		file_.write_at(raw_bytes(make_preamble(index_magic, {.read_features = no_file_feature})), 0);
}

void IndexFileWriter::end_block()
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

void IndexFileWriter::flush()
{
	file_.write_at(pending_, offset_);
	offset_ += pending_.size();
	pending_.clear();
}

// --- reading ---------------------------------------------------------------------------------

IndexFile::IndexFile(File file) : file_(std::move(file))
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
		throw CorruptError("the block table lies outside of the file", file_.name(), size);
	read_table(size - sizeof tail_);
}

Buffer IndexFile::read_block(std::size_t number) const
{
	const Block &block = blocks_[number];
	Buffer content(block.size);
	file_.read_exactly_at(content, block.offset);
	if (crc32_of(content) != block.checksum)
		throw CorruptError("a block's checksum is wrong" + std::string(reset_advice), file_.name(), block.offset);
	return content;
}

std::size_t IndexFile::block_for(std::string_view path) const
{
	const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), path,
		[](std::string_view a, const Block &b) { return a < b.first_path; });
	return after == blocks_.begin() ? 0 : static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

void IndexFile::read_table(std::uint64_t end)
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
			cursor.fail("the place of a block is out of bounds");
		if (i > 0 && block.first_path <= blocks_.back().first_path)
			cursor.fail("blocks are not in order");
		next = block.offset + block.size;
		blocks_.push_back(block);
	}
	cursor.expect_end();
	if (next != tail_.table_offset)
		cursor.fail("the blocks do not end where their table begins");
}

void IndexFileCursor::rewind(std::size_t number)
{
	block_ = number;
	at_ = 0;
	has_record_ = is_loaded_ = false;
	record_.entry.path.clear();
	if (file_)
		next();
}

void IndexFileCursor::next()
{
	has_record_ = false;
	if (!file_ || block_ >= file_->blocks().size())
		return;
	if (!is_loaded_ || at_ == content_.size()) {
		if (is_loaded_ && ++block_ == file_->blocks().size())
			return;
		content_ = file_->read_block(block_);
		is_loaded_ = true;
		at_ = 0;
		record_.entry.path.clear();
	}
	Cursor cursor(Bytes(content_).subspan(at_), file_->file().name(),
		file_->blocks()[block_].offset + at_);
	const std::uint16_t shared = cursor.u16(), rest = cursor.u16();
	if (shared > record_.entry.path.size())
		cursor.fail("a path shares more bytes than the path before it has");
	record_.entry.path.resize(shared);
	record_.entry.path += text_of(cursor.take(rest));
	IndexRecord::check_path(cursor, record_.entry.path, shared);
	record_.decode_rest(cursor);
	if (record_.sequence > file_->tail().highest_sequence)
		cursor.fail("a record is newer than the file" + std::string(reset_advice));
	at_ = content_.size() - cursor.left();
	has_record_ = true;
}

void IndexFileCursor::seek(std::string_view path)
{
	if (!file_ || file_->blocks().empty())
		return;
	const std::size_t wanted = file_->block_for(path);
	const bool is_ahead = has_record_ && record_.entry.path <= path && wanted == block_;
	if (!is_ahead)
		rewind(wanted);
	while (has_record_ && record_.entry.path < path)
		next();
}

} // namespace dig
