// The pack is a layer without an end: blocks behind each other, as they will lie in the layer.  It
// has no table of its own while it grows, since a table that grows with it would have to be
// written again and again.  The journal beside it has a record for each block instead.
//
// Order is what makes a kill harmless.  The bytes of a block go to the pack first and its record
// to the journal behind them, both by plain writes.  A block without a record is not there:
// whoever comes next cuts it off, or writes over it.  A record whose block did not reach the
// storage can exist after a power cut only, because the kernel writes pages out in any order.  So
// a mark says up to where the pack was synced before the mark was written.  Blocks behind the last
// mark are decoded and compared with their digests before anybody relies on them.
//
// Several processes append in turns, each under the lock.  Positions are those of the journal and
// not of the file: a process that was killed between pack and journal has left bytes behind the
// last block, and the next one writes over them.
//
// A commit reads again what it publishes, which would double the time of a large add.  So the pack
// has a change time, and the mark that ends an add notes it.  Anybody who writes to the pack
// changes that time.  Where it is still the one of the last mark, the pack is as the add has
// written it.
//
// Rejected: a sync for each block (a batch of small files would wait for the storage a thousand
// times); a checksum over the whole pack (it cannot be made by several processes in turns, and not
// be resumed); one file for pack and journal (the layer would carry the journal for good).
#include "libdig/staging/pack.h"

#include <numeric>

#include "libdig/os/clock.h"
#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"

namespace dig {

// Packs that grow faster than this in one run are written past the page cache.
constexpr std::uint64_t cached_pack_bytes = 48_MiB;
constexpr std::uint64_t writing_step = 4_MiB, page_size = 4096;

FramedBlocks::FramedBlocks(std::span<const ReadyBlock> blocks) : blocks_(blocks)
{
	prefixes_.reserve(blocks.size());
	pieces_.reserve(2 * blocks.size());
	for (const ReadyBlock &block : blocks) {
		Buffer &prefix = prefixes_.emplace_back(block_prefix(block.codec, block.kind, block.sizes, block.payload));
		pieces_.push_back({prefix.data(), prefix.size()});
		pieces_.push_back({const_cast<std::uint8_t *>(block.payload.data()), block.payload.size()});
		size_ += prefix.size() + block.payload.size();
	}
}

std::vector<JournalBlock> FramedBlocks::records(std::uint64_t offset, std::uint32_t number, bool with_checksums) const
{
	std::vector<JournalBlock> records;
	records.reserve(blocks_.size());
	for (std::size_t i = 0; i < blocks_.size(); i++) {
		const ReadyBlock &block = blocks_[i];
		JournalBlock &named = records.emplace_back();
		named.number = number + static_cast<std::uint32_t>(i);
		BlockRecord &record = named.record;
		record.offset = offset;
		record.length = static_cast<std::uint32_t>(prefixes_[i].size() + block.payload.size());
		record.raw_size = std::accumulate(block.sizes.begin(), block.sizes.end(), std::uint32_t(0));
		record.items = static_cast<std::uint16_t>(block.sizes.size());
		record.codec = static_cast<std::uint8_t>(block.codec);
		record.kind = static_cast<std::uint8_t>(block.kind);
		named.items = block.digests;
		if (with_checksums && block.codec != Codec::none)
			named.checksum = block_checksum(prefixes_[i]);
		offset = named.end();
	}
	return records;
}

// --- opening ---------------------------------------------------------------------------------

void Pack::begin()
{
	remove_file_if_there(path());
	close();
	Buffer records;
	put_journal_record(records, JournalType::mark, [](Buffer &body) { JournalMark().encode(body); });
	create_journal(journal_path(), new_staging_id(), records);
}

bool Pack::open_journal()
{
	pack_ = File();
	journal_ = File::open_with(journal_path(), O_RDWR);
	is_journal_settled_ = false;
	const bool is_alone = is_unused(journal_);
	mark_in_use(journal_);
	const JournalReader reader(journal_);
	id_ = reader.id();
	has_checksums_ = reader.has_checksums();
	synced_size_ = 0;
	return is_alone;
}

void Pack::find_file()
{
	if (!pack_.is_open() && find_stat(path()))
		pack_ = File::open_with(path(), O_RDWR);
}

void Pack::open_file()
{
	if (!state_.note() && !find_stat(path())) {
		if (size() > sizeof(Preamble))
			throw CorruptError("it is missing, and with it what is staged" + std::string(reset_advice), path(), 0);
		pack_ = File::open_with(path(), O_RDWR | O_CREAT);
	}
	// A writer that was killed may have made the pack and written nothing into it.
	const std::uint64_t there = state_.note() ? size() : pack_.size();
	if (there < size() && size() > sizeof(Preamble))
		throw CorruptError("it ends before what is staged does" + std::string(reset_advice), path(), there);
	if (there < sizeof(Preamble))
		pack_.write_at(raw_bytes(make_preamble(layer_magic)), 0);
	trust();
}

// Whoever writes to the pack changes its time, and whoever marks an end of it notes that.
void Pack::trust()
{
	const JournalMark &mark = state_.last_mark();
	const bool is_new = size() == sizeof(Preamble);
	is_trusted_ = is_new || (pack_.is_open() && mark.pack_change_ns != 0 && mark.pack_size == size() &&
					pack_.stat().ctime_ns == mark.pack_change_ns);
	trusted_size_ = is_trusted_ ? size() : 0;
}

void Pack::close()
{
	journal_ = File();
	pack_ = File();
}

bool Pack::is_alone()
{
	// Our own mark does not count: it goes with the file.
	journal_ = File::open_with(journal_path(), O_RDWR);
	const bool is_alone = is_unused(journal_);
	mark_in_use(journal_);
	return is_alone;
}

void Pack::cut(std::uint64_t journal_size)
{
	journal_.truncate(journal_size);
	journal_size_ = journal_size;
	if (has_tail())
		pack_.truncate(size());
}

void Pack::cut_file()
{
	if (!has_tail())
		return;
	settle_journal();
	pack_.truncate(size());
}

bool Pack::has_tail() const
{
	return pack_.is_open() && !state_.note() && pack_.size() > size();
}

// --- to a layer, and back --------------------------------------------------------------------

void Pack::become(const std::string &layer, const JournalNote &note)
{
	Buffer record;
	put_journal_record(record, JournalType::note, [&](Buffer &body) { note.encode(body); });
	pack_.sync_data();
	append_journal(record);
	journal_.sync_data();
	rename_file(path(), layer);
	// Where the old name comes back in a power cut, the note tells that it is another one of the layer.
	sync_directory(directory_of(layer));
	pack_ = File();
	state_.take(note);
}

void Pack::take_back(const std::string &layer)
{
	const std::uint64_t noted = state_.note()->pack_size;
	if (!find_stat(path())) {
		if (!find_stat(layer))
			throw CorruptError("it is missing, and with it what is staged" + std::string(reset_advice), path(), 0);
		rename_file(layer, path());
		sync_directory(directory_);
		sync_directory(directory_of(layer));
	}
	pack_ = File::open_with(path(), O_RDWR);
	if (pack_.size() < noted)
		throw CorruptError("it ends before what is staged does" + std::string(reset_advice), path(), pack_.size());
	pack_.truncate(noted);
	Buffer record;
	put_journal_record(record, JournalType::cancelled, [](Buffer &) {});
	append_journal(record);
	state_.cancel_note();
}

// --- growing ---------------------------------------------------------------------------------

void Pack::append(FramedBlocks &blocks, Bytes journal_records)
{
	const std::vector<JournalBlock> appended = blocks.records(size(), state_.block_count(), has_checksums_);
	std::size_t item_count = 0;
	for (const JournalBlock &block : appended)
		item_count += block.items.size();
	constexpr std::size_t frame = 64; // of a record: more than it has besides its items
	Buffer records;
	records.reserve(journal_records.size() + appended.size() * frame + item_count * sizeof(Digest));
	for (const JournalBlock &block : appended)
		put_journal_record(records, JournalType::block, [&](Buffer &body) { block.encode(body); });
	dig::append(records, journal_records);
	if (blocks.size() > 0)
		write_file(blocks.pieces(), blocks.size());
	const std::uint64_t offset = journal_size_;
	append_journal(records);
	for (const JournalBlock &block : appended)
		state_.take(block, offset);
	appended_bytes_ += blocks.size();
}

// The kernel writes out what it drops from the page cache then; of what it keeps, most is on its way
// when the sync at the end comes.
void Pack::write_file(std::span<iovec> pieces, std::uint64_t written)
{
	const bool keeps_cached = appended_bytes_ + written <= cached_pack_bytes;
	pack_.write_pieces_at(pieces, size(), keeps_cached);
	writing_from_ = std::min(writing_from_, size()); // the pack may be a new one
	const std::uint64_t end = (size() + written) / page_size * page_size; // what follows it is written to again
	if (!keeps_cached || end < writing_from_ + writing_step)
		return;
	pack_.start_writing(writing_from_, end - writing_from_);
	writing_from_ = end;
}

void Pack::append_journal(Bytes records)
{
	journal_.write_at(records, journal_size_);
	journal_size_ += records.size();
}

JournalMark Pack::mark() const
{
	JournalMark mark{size(), state_.block_count()};
	if (has_checksums_ && is_trusted_ && pack_.is_open()) {
		mark.pack_change_ns = pack_.stat().ctime_ns;
		mark.since_ns = state_.last_mark().since_ns ? state_.last_mark().since_ns : now_ns();
	}
	return mark;
}

std::uint64_t Pack::end_appended()
{
	sync();
	const std::uint64_t end = journal_size_;
	Buffer records = state_.carried_records();
	put_journal_record(records, JournalType::mark, [&](Buffer &body) { mark().encode(body); });
	append_journal(records);
	journal_.sync_data();
	return end;
}

void Pack::mark_synced(std::uint64_t size, std::uint32_t block_count)
{
	Buffer record;
	put_journal_record(record, JournalType::mark, [&](Buffer &body) { JournalMark{size, block_count}.encode(body); });
	append_journal(record);
	journal_.sync_data();
	synced_size_ = std::max(synced_size_, size);
}

void Pack::sync()
{
	if (pack_.is_open() && size() > synced_size_) {
		pack_.sync_data();
		synced_size_ = size();
	}
}

void Pack::settle_journal()
{
	if (!is_journal_settled_)
		sync_directory(directory_);
	is_journal_settled_ = true;
}

void Pack::clear(std::uint64_t offset, std::uint64_t size)
{
	settle_journal();
	pack_.clear(offset, size);
}

} // namespace dig
