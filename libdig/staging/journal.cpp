// The journal is written by plain appends and without a sync for each, so after a power cut its end may
// be anything: missing, torn, or zeros.  Each record has a frame with its length, its type and a CRC-32
// over all of it.  Reading ends at the first frame that does not hold, and is_torn() tells this end from
// a whole one.  A CRC is enough, because it guards against an accident and not against a forger: a block
// that a record names is compared with its digests before it is relied on.
//
// A record is of 4 MiB at most.  A torn length would otherwise make the reader allocate what it says.
// The reader has a window of 256 KiB and never the whole file, which has a record for each of some
// million small files.
//
// A journal is replaced when blocks were dropped, and created when the first add begins.  It has a
// random id.  Index and runs name the journal that they belong to by this id, so that an offset in one
// journal is never used in the next, also when parts of a staging area are put back from a copy.
#include "libdig/staging/journal.h"

#include <algorithm>

namespace dig {

constexpr std::size_t frame_head = 5, frame_tail = 4;
constexpr std::size_t max_record = 4_MiB;

StagingId new_staging_id()
{
	StagingId id;
	const Digest random = random_digest();
	std::memcpy(id.data(), random.bytes.data(), sizeof id);
	return id;
}

void put_journal_record(Buffer &out, JournalType type, const std::function<void(Buffer &)> &encode)
{
	const std::size_t start = out.size();
	put_u32(out, 0);
	put_u8(out, static_cast<std::uint8_t>(type));
	encode(out);
	const std::uint32_t length = static_cast<std::uint32_t>(out.size() - start - frame_head);
	std::memcpy(out.data() + start, &length, 4);
	put_u32(out, crc32_of(Bytes(out).subspan(start)));
}

void JournalBlock::encode(Buffer &out) const
{
	put_u32(out, number);
	append(out, raw_bytes(record));
	for (const Digest &item : items)
		append(out, item);
	if (checksum)
		put_u32(out, *checksum);
}

JournalBlock JournalBlock::decode(Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalBlock block;
	block.number = cursor.u32();
	std::memcpy(&block.record, cursor.take(sizeof(BlockRecord)).data(), sizeof(BlockRecord));
	check_block_record(block.record, name, offset);
	const std::uint16_t items = block.record.items;
	block.items.reserve(std::min<std::size_t>(items, cursor.left() / sizeof(Digest)));
	for (std::size_t i = 0; i < items; i++)
		block.items.push_back(cursor.digest());
	if (cursor.left() > 0)
		block.checksum = cursor.u32();
	cursor.expect_end();
	return block;
}

void JournalCheckpoint::encode(Buffer &out) const
{
	file.encode(out);
	if (!origin.empty()) {
		put_u16(out, static_cast<std::uint16_t>(origin.size()));
		append(out, bytes_of(origin));
	}
	put_u64(out, offset);
	append(out, tree);
}

JournalCheckpoint JournalCheckpoint::decode(JournalType type, Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalCheckpoint checkpoint;
	checkpoint.file = IndexRecord::decode(cursor);
	if (type == JournalType::stream) {
		checkpoint.origin = text_of(cursor.take(cursor.u16()));
		if (checkpoint.origin.empty())
			cursor.fail("a stream has no origin");
	}
	checkpoint.offset = cursor.u64();
	append(checkpoint.tree, cursor.take(cursor.left()));
	return checkpoint;
}

void JournalCheckpoint::put(Buffer &records) const
{
	put_journal_record(records, type(), [&](Buffer &body) { encode(body); });
	if (blocks.empty())
		return;
	const JournalBlockTree more{file.entry.path, offset, blocks};
	put_journal_record(records, JournalType::block_tree, [&](Buffer &body) { more.encode(body); });
}

void JournalBlockTree::encode(Buffer &out) const
{
	put_u16(out, static_cast<std::uint16_t>(path.size()));
	append(out, bytes_of(path));
	put_u64(out, offset);
	append(out, blocks);
}

JournalBlockTree JournalBlockTree::decode(Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalBlockTree tree;
	tree.path = text_of(cursor.take(cursor.u16()));
	tree.offset = cursor.u64();
	append(tree.blocks, cursor.take(cursor.left()));
	return tree;
}

void JournalFailure::encode(Buffer &out) const
{
	put_u16(out, static_cast<std::uint16_t>(path.size()));
	append(out, bytes_of(path));
	append(out, bytes_of(message));
}

JournalFailure JournalFailure::decode(Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalFailure failure;
	failure.path = text_of(cursor.take(cursor.u16()));
	failure.message = text_of(cursor.take(cursor.left()));
	return failure;
}

void JournalNote::encode(Buffer &out) const
{
	append(out, layer_id);
	put_u64(out, pack_size);
	put_u64(out, sequence);
	append(out, manifest_root);
}

JournalNote JournalNote::decode(Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalNote note;
	note.layer_id = cursor.digest();
	note.pack_size = cursor.u64();
	note.sequence = cursor.u64();
	note.manifest_root = cursor.digest();
	cursor.expect_end();
	return note;
}

JournalReader::JournalReader(const File &file, std::uint64_t offset) : file_(file), offset_(offset)
{
	size_ = file.size();
	Buffer head(journal_start);
	file.read_exactly_at(head, 0);
	check_preamble(head, journal_magic, file.name(), true, {.read_features = checksum_feature});
	Preamble preamble;
	std::memcpy(&preamble, head.data(), sizeof preamble);
	has_checksums_ = preamble.read_features & checksum_feature;
	std::memcpy(id_.data(), head.data() + sizeof(Preamble), sizeof id_);
	if (crc32_of(id_) != load<std::uint32_t>(head.data() + journal_start - 4))
		throw CorruptError("the checksum of its id is wrong", file.name(), sizeof(Preamble));
	offset_ = std::max(offset_, journal_start);
	window_offset_ = offset_;
}

// Makes size bytes from offset_ on available in the window; false when the file has fewer.
bool JournalReader::fill(std::size_t size)
{
	if (offset_ + size > size_)
		return false;
	if (offset_ < window_offset_ || offset_ + size > window_offset_ + window_.size()) {
		window_offset_ = offset_;
		// No more than there is: most journals are short, and what is touched has to be zeroed first.
		window_.resize(std::max<std::size_t>(size, std::min<std::uint64_t>(size_ - offset_, 256_KiB)));
		window_.resize(file_.read_at(window_, offset_));
	}
	return offset_ + size <= window_offset_ + window_.size();
}

std::optional<JournalRecord> JournalReader::next()
{
	is_torn_ = false;
	if (offset_ >= size_)
		return {};
	is_torn_ = true;
	if (!fill(frame_head))
		return {};
	const std::uint32_t length =
		load<std::uint32_t>(window_.data() + (offset_ - window_offset_));
	const std::size_t total = frame_head + length + frame_tail;
	if (length > max_record || !fill(total))
		return {};
	const Bytes frame = Bytes(window_).subspan(offset_ - window_offset_, total);
	if (crc32_of(frame.first(total - frame_tail)) !=
		load<std::uint32_t>(frame.data() + total - frame_tail))
		return {};
	is_torn_ = false;
	JournalRecord record{static_cast<JournalType>(frame[4]), frame.subspan(frame_head, length), offset_};
	record_offset_ = offset_;
	offset_ += total;
	return record;
}

void JournalMark::encode(Buffer &out) const
{
	put_u64(out, pack_size);
	put_u32(out, block_count);
	if (!pack_change_ns)
		return;
	put(out, pack_change_ns);
	put(out, since_ns);
}

JournalMark JournalMark::decode(Bytes body, std::string_view name, std::uint64_t offset)
{
	Cursor cursor(body, name, offset);
	JournalMark mark;
	mark.pack_size = cursor.u64();
	mark.block_count = cursor.u32();
	if (cursor.left() > 0) {
		mark.pack_change_ns = cursor.i64();
		mark.since_ns = cursor.i64();
	}
	cursor.expect_end();
	return mark;
}

bool is_unwritten(const File &journal)
{
	Buffer head(journal_start);
	if (journal.read_at(head, 0) < head.size())
		return true;
	return std::all_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::optional<File> find_journal(const std::string &path)
{
	std::optional<File> journal = File::find(path);
	try {
		if (journal && !is_unwritten(*journal)) {
			JournalReader head(*journal);
			return journal;
		}
	} catch (const CorruptError &) {
	}
	return {};
}

bool is_unpromised(const std::string &directory)
{
	const std::optional<File> journal = find_journal(directory + "/journal");
	if (!journal) {
		const std::optional<FileStat> pack = find_stat(directory + "/pack");
		return !pack || pack->size <= sizeof(Preamble);
	}
	JournalReader reader(*journal);
	int marks = 0;
	while (const std::optional<JournalRecord> record = reader.next())
		marks += record->type == JournalType::mark || record->type == JournalType::note;
	return marks <= 1;
}

JournalWriter::JournalWriter(const std::string &path, const StagingId &id) : file_(path)
{
	dig::append(pending_, raw_bytes(make_preamble(journal_magic, {.read_features = checksum_feature})));
	dig::append(pending_, id);
	put_u32(pending_, crc32_of(id));
}

void JournalWriter::put(JournalType type, const std::function<void(Buffer &)> &encode)
{
	put_journal_record(pending_, type, encode);
	if (pending_.size() >= 256_KiB)
		flush();
}

void JournalWriter::append(Bytes framed_records)
{
	dig::append(pending_, framed_records);
}

void JournalWriter::replace_first(const JournalMark &mark)
{
	flush();
	Buffer record;
	put_journal_record(record, JournalType::mark, [&](Buffer &body) { mark.encode(body); });
	file_.file().write_at(record, journal_start);
}

void JournalWriter::publish(PublishedFile::Durability durability)
{
	flush();
	file_.publish(durability);
}

void JournalWriter::flush()
{
	file_.file().write_at(pending_, offset_);
	offset_ += pending_.size();
	pending_.clear();
}

void create_journal(const std::string &path, const StagingId &id, Bytes records)
{
	JournalWriter journal(path, id);
	journal.append(records);
	// Not synced, and so it takes the name of no other: whoever promises something syncs it first.
	remove_file_if_there(path);
	journal.publish(PublishedFile::Durability::none);
}

} // namespace dig
