// Shows what the files of a staging area say, record by record.  All else in dig stops at what is
// damaged; this names it and goes on, so it reads the files by itself as dig-index-format(5) has
// them, and takes from the library what decodes a single record.

#include "libdig/base/path.h"
#include "libdig/staging/index_record.h"
#include "libdig/staging/journal.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"

using namespace dig;

static constexpr char usage[] = "dig-show-staging [-z] [--items] [DIRECTORY]";

constexpr std::size_t tail_size = 144;
constexpr std::size_t max_record_bytes = 256_KiB; // of one path in the index, and of one block there

namespace {

// A file through a window, so that its size never becomes memory.
class Window {
public:
	explicit Window(const File &file) : file_(file), size_(file.size()) {}

	const File &file() const { return file_; }
	std::uint64_t size() const { return size_; }
	// So many bytes from offset on, or all that follow.
	Bytes at(std::uint64_t offset, std::uint64_t size)
	{
		size = offset < size_ ? std::min(size, size_ - offset) : 0;
		if (offset < start_ || offset + size > start_ + bytes_.size()) {
			start_ = offset;
			bytes_.resize(std::max<std::uint64_t>(size, 512_KiB));
			bytes_.resize(file_.read_at(bytes_, offset));
		}
		return Bytes(bytes_).subspan(offset - start_, std::min<std::uint64_t>(size, bytes_.size() - (offset - start_)));
	}

private:
	const File &file_;
	std::uint64_t size_, start_ = 0;
	Buffer bytes_;
};

// The lines about one file.
class StagingLines {
public:
	StagingLines(std::string name, bool shows_items) : name_(std::move(name)), shows_items_(shows_items) {}

	void put(std::uint64_t offset, const std::string &text, std::optional<std::string_view> path = {},
		std::optional<std::string_view> message = {})
	{
		Output &out = standard_output();
		out.write(name_ + ' ' + std::to_string(offset) + ' ' + text);
		for (const std::optional<std::string_view> &field : {path, message}) {
			if (field) {
				out.write("\t");
				out.path(*field);
			}
		}
		out.record("");
	}
	void put_broken(std::uint64_t offset, std::string_view what)
	{
		put(offset, "broken", what);
		has_broken_ = true;
	}
	// False when show() has met something broken, which then has its line.
	bool try_at(std::uint64_t offset, const std::function<void()> &show)
	{
		try {
			show();
			return true;
		} catch (const CorruptError &error) {
			put_broken(offset, error.what());
		}
		return false;
	}
	bool shows_items() const { return shows_items_; }
	bool has_broken() const { return has_broken_; }

private:
	std::string name_;
	bool shows_items_, has_broken_ = false;
};

struct IndexTable {
	std::uint64_t offset, size;
	std::uint32_t blocks, checksum;
};

} // namespace

static std::string field(const char *name, std::uint64_t value)
{
	return std::string(" ") + name + '=' + std::to_string(value);
}
static std::string field(const char *name, Bytes value) { return std::string(" ") + name + '=' + to_hex(value); }
static std::string time_field(const char *name, std::int64_t value)
{
	return std::string(" ") + name + '=' + std::to_string(value);
}

static std::string content_fields(const Entry &entry)
{
	std::string text = " mode=" + mode_text(entry) + field("size", entry.size);
	if (entry.form == ContentForm::chunk)
		text += field("chunk", entry.content.bytes);
	if (entry.form == ContentForm::file_root)
		text += field("file-root", entry.content.bytes);
	if (entry.mtime_ns)
		text += time_field("time", *entry.mtime_ns);
	if (entry.attribute_count > 0)
		text += field("attributes", entry.attribute_count);
	return text;
}

static std::string fields_of(const IndexRecord &record)
{
	std::string text = field("sequence", record.sequence);
	text += record.is_removed ? " removed" : content_fields(record.entry);
	text += record.is_by_reference ? " by-reference" : "";
	text += record.has_no_file ? " no-file" : "";
	if (record.has_stat)
		text += field("inode", record.inode) + field("device", record.device) + field("stat-size", record.stat_size) +
			time_field("modified", record.stat_mtime_ns) + time_field("changed", record.ctime_ns) +
			time_field("read", record.read_began_ns) + field("stat-mode", record.stat_mode);
	return text;
}

static void show_preamble(StagingLines &lines, Window &window, std::string_view magic, std::uint16_t feature)
{
	lines.try_at(0, [&] {
		Cursor cursor(window.at(0, sizeof(Preamble)), window.file().name());
		const std::string found(text_of(cursor.take(8)));
		std::string text = "preamble";
		for (const char *name : {"version", "compatible-features", "read-features", "write-features"})
			text += field(name, cursor.u16());
		lines.put(0, text, found);
		check_preamble(window.at(0, sizeof(Preamble)), magic, window.file().name(), true, {.read_features = feature});
	});
}

// --- index and changes --------------------------------------------------------------------------

// Records from offset on, up to end or the first that is broken.
static void show_records(StagingLines &lines, Window &window, std::uint64_t offset, std::uint64_t end)
{
	IndexRecord record;
	while (offset < end && lines.try_at(offset, [&] {
		const Bytes bytes = window.at(offset, std::min<std::uint64_t>(end - offset, max_record_bytes));
		Cursor cursor(bytes, window.file().name(), offset);
		const std::uint16_t shared = cursor.u16(), rest = cursor.u16();
		if (shared > record.entry.path.size())
			cursor.fail("a path shares more bytes than the path before it has");
		record.entry.path.resize(shared);
		record.entry.path += text_of(cursor.take(rest));
		record.decode_rest(cursor);
		lines.put(offset, "record" + fields_of(record), record.entry.path);
		IndexRecord::check_path(cursor, record.entry.path);
		offset += bytes.size() - cursor.left();
	})) {
	}
}

// Nothing where the tail is so broken that there is no telling where the table is.
static std::optional<IndexTable> show_tail(StagingLines &lines, Window &window)
{
	const std::uint64_t offset = window.size() - tail_size;
	const Bytes bytes = window.at(offset, tail_size);
	Cursor cursor(bytes, window.file().name(), offset);
	IndexTable table;
	table.offset = cursor.u64();
	table.blocks = cursor.u32();
	std::string text = "tail" + field("table-offset", table.offset) + field("blocks", table.blocks);
	text += field("flags", cursor.u32());
	text += field("records", cursor.u64());
	text += field("id", cursor.take(16));
	text += field("base-id", cursor.take(16));
	text += field("manifest", cursor.take(32));
	for (const char *name : {"committed", "last", "highest"})
		text += field(name, cursor.u64());
	text += field("journal-id", cursor.take(16));
	text += field("journal-offset", cursor.u64());
	table.checksum = cursor.u32();
	lines.put(offset, text);
	if (cursor.u32() != crc32_of(bytes.first(tail_size - 4)))
		lines.put_broken(offset, "the tail's checksum is wrong");
	if (table.offset < sizeof(Preamble) || table.offset > offset) {
		lines.put_broken(offset, "the block table lies outside of the file");
		return {};
	}
	table.size = offset - table.offset;
	return table;
}

static void check_table(StagingLines &lines, Window &window, const IndexTable &table)
{
	std::uint32_t checksum = 0;
	for (std::uint64_t done = 0; done < table.size;) {
		const Bytes piece = window.at(table.offset + done, std::min<std::uint64_t>(table.size - done, 64_KiB));
		if (piece.empty())
			break;
		checksum = crc32_of(piece, checksum);
		done += piece.size();
	}
	if (checksum != table.checksum)
		lines.put_broken(table.offset, "the block table's checksum is wrong");
}

static void show_blocks(StagingLines &lines, Window &window, const IndexTable &table)
{
	Window records(window.file());
	std::uint64_t at = table.offset, next = sizeof(Preamble);
	const std::uint64_t end = table.offset + table.size;
	for (std::uint32_t i = 0; i < table.blocks && at < end; i++) {
		std::uint64_t offset = 0;
		std::uint32_t size = 0, checksum = 0;
		if (!lines.try_at(at, [&] {
			const Bytes bytes = window.at(at, std::min<std::uint64_t>(end - at, max_path_size + 18));
			Cursor cursor(bytes, window.file().name(), at);
			offset = cursor.u64();
			size = cursor.u32();
			checksum = cursor.u32();
			lines.put(at, "block" + field("offset", offset) + field("size", size), text_of(cursor.take(cursor.u16())));
			if (offset != next || size == 0 || size > max_record_bytes || size > table.offset - offset)
				cursor.fail("the place of a block is out of bounds");
			at += bytes.size() - cursor.left();
		}))
			break;
		if (crc32_of(records.at(offset, size)) != checksum)
			lines.put_broken(offset, "the block's checksum is wrong");
		show_records(lines, records, offset, offset + size);
		next = offset + size;
	}
	if (next != table.offset || at != end)
		lines.put_broken(at, "the blocks do not end where their table begins, or the table not where the tail begins");
}

static void show_index(StagingLines &lines, const File &file, std::string_view magic)
{
	Window window(file);
	show_preamble(lines, window, magic, 1);
	if (window.size() < sizeof(Preamble) + tail_size) {
		lines.put_broken(window.size(), "the file is too short");
		return;
	}
	if (const std::optional<IndexTable> table = show_tail(lines, window)) {
		check_table(lines, window, *table);
		show_blocks(lines, window, *table);
	} else {
		show_records(lines, window, sizeof(Preamble), window.size());
	}
}

// --- journal ------------------------------------------------------------------------------------

static void show_block(StagingLines &lines, const JournalRecord &record, const std::string &name)
{
	const JournalBlock block = JournalBlock::decode(record.body, name, record.offset);
	std::string text = "block" + field("number", block.number) + field("offset", block.record.offset) +
		field("length", block.record.length) + field("raw-size", block.record.raw_size) +
		field("codec", block.record.codec) + field("kind", block.record.kind) + field("items", block.record.items);
	if (block.checksum)
		text += field("checksum", *block.checksum);
	lines.put(record.offset, text);
	if (lines.shows_items())
		for (const Digest &item : block.items)
			lines.put(record.offset, "item " + to_hex(item));
}

static void show_journal_record(StagingLines &lines, const JournalRecord &record, const std::string &name)
{
	const std::uint64_t at = record.offset;
	switch (record.type) {
	case JournalType::block:
		return show_block(lines, record, name);
	case JournalType::file: {
		Cursor cursor(record.body, name, at);
		const IndexRecord file = IndexRecord::decode(cursor);
		lines.put(at, "file" + fields_of(file), file.entry.path);
		return cursor.expect_end();
	}
	case JournalType::checkpoint:
	case JournalType::stream: {
		const JournalCheckpoint checkpoint = JournalCheckpoint::decode(record.type, record.body, name, at);
		const std::string origin = checkpoint.origin.empty() ? "" : " origin=" + quote(checkpoint.origin);
		return lines.put(at, (origin.empty() ? "checkpoint" : "stream" + origin) + field("reached", checkpoint.offset) +
			field("tree-size", checkpoint.tree.size()) +
				fields_of(checkpoint.file), checkpoint.file.entry.path);
	}
	case JournalType::block_tree: {
		const JournalBlockTree tree = JournalBlockTree::decode(record.body, name, at);
		return lines.put(at, "block-tree" + field("reached", tree.offset) + field("tree-size", tree.blocks.size()),
			tree.path);
	}
	case JournalType::mark: {
		const JournalMark mark = JournalMark::decode(record.body, name, at);
		std::string text = "mark" + field("pack-size", mark.pack_size) + field("blocks", mark.block_count);
		if (mark.pack_change_ns != 0)
			text += time_field("pack-changed", mark.pack_change_ns) + time_field("since", mark.since_ns);
		return lines.put(at, text);
	}
	case JournalType::failed: {
		const JournalFailure failure = JournalFailure::decode(record.body, name, at);
		return lines.put(at, "failed", failure.path, failure.message);
	}
	case JournalType::note: {
		const JournalNote note = JournalNote::decode(record.body, name, at);
		return lines.put(at, "note" + field("layer", note.layer_id.bytes) + field("pack-size", note.pack_size) +
				field("sequence", note.sequence) + field("manifest", note.manifest_root.bytes));
	}
	case JournalType::cancelled:
		return lines.put(at, "cancelled");
	}
	lines.put(at, "unknown" + field("type", static_cast<std::uint8_t>(record.type)) +
			field("length", record.body.size()));
}

constexpr std::size_t frame_size = 9; // of a record: length and type before its body, a CRC-32 behind it

// The next offset at which a whole record of a known type lies; nothing up to the end of the file.
static std::optional<std::uint64_t> find_record(Window &window, std::uint64_t offset)
{
	for (; offset + frame_size <= window.size(); offset++) {
		const Bytes head = window.at(offset, 5);
		const std::uint64_t length = load<std::uint32_t>(head.data());
		if (length > 4_MiB || head[4] == 0 || head[4] > static_cast<std::uint8_t>(JournalType::block_tree))
			continue;
		const Bytes frame = window.at(offset, length + frame_size);
		if (frame.size() == length + frame_size &&
			crc32_of(frame.first(length + 5)) == load<std::uint32_t>(frame.data() + length + 5))
			return offset;
	}
	return {};
}

// From one record to the next.  Where dig ends the journal, behind what is torn, this looks on.
static void show_journal(StagingLines &lines, const File &file)
{
	Window window(file);
	show_preamble(lines, window, journal_magic, checksum_feature);
	if (window.size() < journal_start) {
		lines.put_broken(window.size(), "the file is too short");
		return;
	}
	const Bytes id = window.at(sizeof(Preamble), sizeof(StagingId) + 4);
	lines.put(sizeof(Preamble), "id " + to_hex(id.first(sizeof(StagingId))));
	if (crc32_of(id.first(sizeof(StagingId))) != load<std::uint32_t>(id.data() + sizeof(StagingId)))
		lines.put_broken(sizeof(Preamble), "the checksum of the id is wrong");
	for (std::uint64_t offset = journal_start; offset < window.size();) {
		const std::optional<std::uint64_t> found = find_record(window, offset);
		if (found != offset)
			lines.put_broken(offset, "the journal ends here: no whole record follows" +
					std::string(found ? ", but others do" : ""));
		if (!found)
			return;
		offset = *found;
		const Bytes head = window.at(offset, 5);
		const std::uint32_t length = load<std::uint32_t>(head.data());
		const auto type = static_cast<JournalType>(head[4]);
		lines.try_at(offset, [&] {
			show_journal_record(lines, {type, window.at(offset + 5, length), offset}, file.name());
		});
		offset += length + frame_size;
	}
}

// --- all of them --------------------------------------------------------------------------------

static bool show_file(const std::string &directory, const std::string &name, bool shows_items)
{
	StagingLines lines(name, shows_items);
	const std::optional<File> file = File::find(directory + '/' + name);
	if (!file) {
		lines.put(0, "missing");
		return false;
	}
	lines.put(0, "found" + field("size", file->size()));
	if (name == "journal")
		show_journal(lines, *file);
	else if (name != "pack")
		show_index(lines, *file, index_magic);
	return lines.has_broken();
}

static int show_staging(Options &options)
{
	bool nul = false, shows_items = false;
	std::vector<std::string> names;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("items", 0, shows_items, "also the digests of the items of blocks")
		.positional(names, 0, 1)
		.parse();
	standard_output().set_end(record_end(nul));
	const std::string directory = names.empty() ? get_store().staging() : names[0];
	if (!find_stat(directory))
		throw Error("there is no directory " + quote(directory));
	bool has_broken = false;
	for (const char *name : {"index", "changes", "journal", "pack"})
		has_broken = show_file(directory, name, shows_items) || has_broken;
	return has_broken ? exit_status::corrupt : exit_status::done;
}

int dig_show_staging_main(int argc, char **argv) { return run(argc, argv, usage, show_staging); }
