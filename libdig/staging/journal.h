// staging/journal: what is in the pack and what an add had finished (dig-index-format(5)).
//
//     +----------+----+--------+--------+-----+
//     | preamble | id | record | record | ... |  record: u32 length, u8 type, body, u32 CRC-32
//     +----------+----+--------+--------+-----+
//
// Append-only.  What lies behind the last sync mark was never promised to be on storage: a
// record there that is torn ends the journal, and blocks there are verified before they are
// trusted.
#ifndef DIG_JOURNAL_H
#define DIG_JOURNAL_H

#include <functional>

#include "libdig/format/layer_format.h"
#include "libdig/os/file.h"
#include "libdig/os/publish.h"
#include "libdig/staging/index_record.h"

namespace dig {

// What ends a message about a staging area that is damaged.
constexpr std::string_view reset_advice = "; 'dig reset' gives up what is staged and starts anew";

// Random, so that an offset in one journal is not taken for one in the next.
using StagingId = std::array<std::uint8_t, 16>;
StagingId new_staging_id();
// A feature that is needed to read: there are checksums of blocks, and times of the pack.
constexpr std::uint16_t checksum_feature = 1;
// Behind the preamble, the id and a CRC-32 of it.
constexpr std::uint64_t journal_start = sizeof(Preamble) + sizeof(StagingId) + 4;

enum class JournalType : std::uint8_t {
	block = 1,      // of the pack
	file = 2,       // finished: an index record
	checkpoint = 3, // inside an unfinished file
	mark = 4,       // the pack is on storage up to a length
	failed = 5,     // a source file that could not be taken
	note = 6,       // a layer is about to be published
	cancelled = 7,  // the note before came to nothing
	stream = 8,     // inside unfinished content that has no file, and can be had again
	block_tree = 9, // of the content before the checkpoint that precedes this, where core.block_tree was set
};

struct JournalBlock {
	std::uint32_t number = 0; // in the pack, from 0
	BlockRecord record{};
	std::vector<Digest> items;
	// block_checksum() of it.  Blocks that are not compressed have none, since their digests are
	// quick to compare, nor has any in a journal
	// without that feature.
	std::optional<std::uint32_t> checksum;

	ItemKind kind() const { return static_cast<ItemKind>(record.kind); }
	std::uint64_t end() const { return record.offset + record.length; } // in the pack

	void encode(Buffer &out) const;
	static JournalBlock decode(Bytes body, std::string_view name, std::uint64_t offset);
};

// Where an add of a large file, or of a stream, stands: everything before `offset` is in the pack.
struct JournalCheckpoint {
	IndexRecord file; // path and stat; no entry yet
	// Of a stream: which content it is, in the words of whoever feeds it.  Empty for a file, which stat
	// identifies.
	std::string origin;
	std::uint64_t offset = 0;
	Buffer tree; // TreeBuilder::checkpoint()
	// BlockTree::checkpoint(), which stands in a record of its own.  Empty where there is none.
	Buffer blocks;

	JournalType type() const { return origin.empty() ? JournalType::checkpoint : JournalType::stream; }
	// The body of the first record.
	void encode(Buffer &out) const;
	static JournalCheckpoint decode(JournalType type, Bytes body, std::string_view name, std::uint64_t offset);
	// Appends its records, with their frames.
	void put(Buffer &records) const;
};

struct JournalBlockTree {
	std::string path;         // of the checkpoint
	std::uint64_t offset = 0; // of the checkpoint
	Buffer blocks;

	void encode(Buffer &out) const;
	static JournalBlockTree decode(Bytes body, std::string_view name, std::uint64_t offset);
};

struct JournalFailure {
	std::string path;
	std::string message;

	void encode(Buffer &out) const;
	static JournalFailure decode(Bytes body, std::string_view name, std::uint64_t offset);
};

struct JournalNote {
	Digest layer_id;
	std::uint64_t pack_size = 0;
	std::uint64_t sequence = 0; // index records up to it are in the layer
	Digest manifest_root;

	void encode(Buffer &out) const;
	static JournalNote decode(Bytes body, std::string_view name, std::uint64_t offset);
};

// Appends a framed record to out.  encode writes the body.
void put_journal_record(Buffer &out, JournalType type, const std::function<void(Buffer &)> &encode);

struct JournalRecord {
	JournalType type;
	Bytes body;           // until the next call
	std::uint64_t offset; // of the record
};

class JournalReader {
public:
	// Starts at offset, which is that of a record, or 0 for the first.
	JournalReader(const File &file, std::uint64_t offset = 0);
	// Nothing at the end, and at a record that is torn or damaged: is_torn() tells.
	std::optional<JournalRecord> next();
	// The offset behind the last record returned.
	std::uint64_t offset() const { return offset_; }
	// The offset of that record.
	std::uint64_t record_offset() const { return record_offset_; }
	bool is_torn() const { return is_torn_; }
	const StagingId &id() const { return id_; }
	bool has_checksums() const { return has_checksums_; }

private:
	bool fill(std::size_t size);

	const File &file_;
	StagingId id_{};
	bool has_checksums_;
	std::uint64_t offset_;  // of the next record
	std::uint64_t record_offset_ = 0;
	std::uint64_t size_;    // of the file
	bool is_torn_ = false;
	Buffer window_;
	std::uint64_t window_offset_ = 0;
};

// What a mark says: everything before it is on storage.
struct JournalMark {
	std::uint64_t pack_size = sizeof(Preamble);
	std::uint32_t block_count = 0;
	// The pack's change time then, if all before was as it had been written, and when it first had such
	// a mark; else 0.
	std::int64_t pack_change_ns = 0, since_ns = 0;

	void encode(Buffer &out) const;
	static JournalMark decode(Bytes body, std::string_view name, std::uint64_t offset);
};

// True for a journal that is shorter than its head, or begins with zeros: its name came to storage in
// a power cut, and its bytes did not.
bool is_unwritten(const File &journal);
// The journal at path; nothing where there is none that can be read from its beginning.
std::optional<File> find_journal(const std::string &path);
// True when what a directory has of a journal and a pack shows that nothing can be staged there: no
// add and no checkpoint has ended since the last commit.
bool is_unpromised(const std::string &directory);

// A journal that is written as it comes, and then replaces the one at path by rename.
class JournalWriter {
public:
	JournalWriter(const std::string &path, const StagingId &id);
	void put(JournalType type, const std::function<void(Buffer &)> &encode);
	void append(Bytes framed_records);
	// The first record, which is a mark, becomes this one.
	void replace_first(const JournalMark &mark);
	void publish(PublishedFile::Durability durability);

private:
	void flush();

	PublishedFile file_;
	Buffer pending_;
	std::uint64_t offset_ = 0; // of pending_
};

// A new journal at path, with these framed records, where nothing is needed of an old one.  Not synced.
void create_journal(const std::string &path, const StagingId &id, Bytes records);

} // namespace dig

#endif
