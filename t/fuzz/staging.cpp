// Targets for the files of the staging area.
#include <cstdlib>
#include <unistd.h>

#include "libdig/chunking/block_tree.h"
#include "libdig/format/search_tree.h"
#include "libdig/staging/index.h"
#include "libdig/staging/journal.h"
#include "t/fuzz/fuzz.h"

namespace dig {

static void decode(const JournalRecord &record)
{
	const std::string_view name = "journal";
	switch (record.type) {
	case JournalType::block: JournalBlock::decode(record.body, name, record.offset).end(); break;
	case JournalType::file: {
		Cursor cursor(record.body, name, record.offset);
		IndexRecord::decode(cursor);
		break;
	}
	case JournalType::checkpoint:
	case JournalType::stream: {
		const JournalCheckpoint checkpoint = JournalCheckpoint::decode(record.type, record.body, name, record.offset);
		TreeBuilder::resume(checkpoint.tree, name, [](const Digest &, Bytes) {});
		break;
	}
	case JournalType::block_tree:
		BlockTree::resume(JournalBlockTree::decode(record.body, name, record.offset).blocks, name).root();
		break;
	case JournalType::mark: JournalMark::decode(record.body, name, record.offset); break;
	case JournalType::failed: JournalFailure::decode(record.body, name, record.offset); break;
	case JournalType::note: JournalNote::decode(record.body, name, record.offset); break;
	case JournalType::cancelled: break;
	}
}

static void run_journal(Bytes input)
{
	const File file = file_of(input);
	is_unwritten(file);
	JournalReader journal(file);
	std::uint64_t end = journal.offset();
	while (const std::optional<JournalRecord> record = journal.next()) {
		require(record->offset == end && journal.offset() > end, "records follow each other");
		end = journal.offset();
		try {
			decode(*record);
		} catch (const Error &) {
			// The records behind it are to be tried, too.
		}
	}
	require(journal.is_torn() || end == input.size(), "a journal is read to its end");
}

static std::vector<Buffer> journal_seeds()
{
	TreeBuilder tree(TreeKind::chunk_list, [](const Digest &, Bytes) {});
	for (std::uint64_t i = 0; i < 40; i++)
		tree.append_chunk(digest_of(raw_bytes(le64(i))), 65536);
	JournalCheckpoint checkpoint;
	checkpoint.file.entry.path = "large";
	checkpoint.file.is_removed = checkpoint.file.has_stat = true;
	checkpoint.offset = 40 * 65536;
	checkpoint.tree = tree.checkpoint();
	JournalCheckpoint stream = checkpoint;
	stream.file.has_stat = false;
	stream.origin = "of that URL";
	const Buffer content(1'100'000, 'x');
	BlockTree blocks;
	blocks.append(content);
	stream.blocks = blocks.checkpoint();
	const JournalFailure failure{"closed", "cannot open 'closed': Permission denied"};
	const JournalNote note{Digest(), 1000, 2, Digest()};
	Buffer journal;
	append(journal, raw_bytes(make_preamble(journal_magic, {.read_features = checksum_feature})));
	const StagingId id{};
	append(journal, id);
	put_u32(journal, crc32_of(id));
	put_journal_record(journal, JournalType::mark, [](Buffer &body) { JournalMark().encode(body); });
	put_journal_record(journal, JournalType::checkpoint, [&](Buffer &body) { checkpoint.encode(body); });
	stream.put(journal);
	put_journal_record(journal, JournalType::failed, [&](Buffer &body) { failure.encode(body); });
	put_journal_record(journal, JournalType::note, [&](Buffer &body) { note.encode(body); });
	put_journal_record(journal, JournalType::cancelled, [](Buffer &) {});
	return {journal};
}

static void repair_journal(Buffer &bytes)
{
	repair_preamble(bytes);
	repair_checksum(bytes, sizeof(Preamble), sizeof(Preamble) + sizeof(StagingId), sizeof(Preamble) + sizeof(StagingId));
	for (std::uint64_t at = journal_start; at + 9 <= bytes.size();) {
		const std::uint64_t length = number_at(bytes, at, 4);
		repair_checksum(bytes, at, at + 5 + length, at + 5 + length);
		at += 9 + length;
	}
}

// A directory of this process, for all runs.
static const std::string &index_directory()
{
	static const struct Directory {
		std::string path = (std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + std::string("/dig-fuzz.XXXXXX");
		Directory() { require(::mkdtemp(path.data()), "there is a directory for the index"); }
		~Directory() { ::rmdir(path.c_str()); }
	} directory;
	return directory.path;
}

static void walk(const Index &index)
{
	std::string before;
	bool is_in_order = true;
	for (IndexCursor at = index.cursor(); at.current(); at.next()) {
		is_in_order = is_in_order && (before.empty() || before < at.current()->entry.path);
		before = at.current()->entry.path;
		index.is_staged(*at.current());
	}
	index.find(before);
	index.may_have_staged();
	for (IndexCursor at = index.staged_cursor(); at.current(); at.next())
		;
	// Walks rely on the order, but do not look at it: that is left to a check.
	index.check();
	require(is_in_order, "an index that is checked has its records in order");
}

// The input is once the base, and once the changes of none.
static void run_index(Bytes input)
{
	struct Removal {
		std::string path;
		~Removal() { ::unlink(path.c_str()); }
	};
	for (const char *name : {"/index", "/changes"}) {
		const Removal file{index_directory() + name};
		File::open_with(file.path, O_WRONLY | O_CREAT | O_TRUNC).write(input);
		try {
			walk(Index::open_whole(index_directory()));
		} catch (const Error &) {
		}
		walk(Index::open(index_directory()));
	}
}

static void repair_index(Buffer &bytes)
{
	constexpr std::size_t tail_size = 144;
	repair_preamble(bytes);
	if (bytes.size() < tail_size)
		return;
	const std::size_t tail = bytes.size() - tail_size;
	const std::uint64_t table = number_at(bytes, tail, 8), blocks = number_at(bytes, tail + 8, 4);
	std::uint64_t at = table;
	for (std::uint64_t i = 0; i < blocks && at < tail; i++) {
		const std::uint64_t offset = number_at(bytes, at, 8), size = number_at(bytes, at + 8, 4);
		if (offset <= bytes.size() && size <= bytes.size() - offset)
			repair_checksum(bytes, offset, offset + size, at + 12);
		at += 18 + number_at(bytes, at + 16, 2);
	}
	repair_checksum(bytes, table, tail, tail + 136);
	repair_checksum(bytes, tail, tail + 140, tail + 140);
}

static std::vector<Buffer> none() { return {}; }

const std::vector<FuzzTarget> staging_targets = {
	{"journal", journal_magic, journal_seeds, run_journal, repair_journal},
	{"index", index_magic, none, run_index, repair_index},
};

} // namespace dig
