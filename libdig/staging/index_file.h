// One file of the index: index or changes (dig-index-format(5)).
//
//     +----------+-------+-----+-------+-------------+------+
//     | preamble | block | ... | block | block table | tail |
//     +----------+-------+-----+-------+-------------+------+
//
// Records lie in the order of their paths, and a path names only what it has not in common with the
// one before.  A block begins anew, so that a look-up reads one of them.
#ifndef DIG_INDEX_FILE_H
#define DIG_INDEX_FILE_H

#include <memory>

#include "libdig/staging/index_record.h"
#include "libdig/staging/journal.h"

namespace dig {

// What holds for both files together; the newer of them says it.
struct IndexState {
	// Of the state that records without staged ones mirror; nothing before the first commit.
	std::optional<Digest> manifest_root;
	// Records with a higher sequence are staged.
	std::uint64_t committed_sequence = 0;
	std::uint64_t last_sequence = 0;
	// Up to here the journal's finished files are in the index.
	StagingId journal_id{};
	std::uint64_t journal_offset = 0;
	// Something staged was dropped again, so the pack may hold what nobody needs.
	bool has_dropped = false;
	// The pack holds what nothing staged refers to yet, and it stays until a commit.
	bool has_loose = false;
	// While something was staged, dig gc took content away that it may rely on.
	bool may_lack = false;
};

struct IndexTail {
	le64 table_offset;
	le32 block_count;
	le32 flags;
	le64 records;
	StagingId id;      // of this file
	StagingId base_id; // changes: of the base they belong to
	Digest manifest_root;
	le64 committed_sequence, last_sequence;
	le64 highest_sequence; // of a record in this file
	StagingId journal_id;
	le64 journal_offset;
	le32 table_checksum;
	le32 checksum; // of the tail before it
};
static_assert(sizeof(IndexTail) == 144);

// What a tail says of the index.
IndexState state_of(const IndexTail &tail);

// Writes records in the order of their paths.  The file must outlive it, in its place.
class IndexFileWriter {
public:
	explicit IndexFileWriter(const File &file);

	void put(const IndexRecord &record);
	// Writes table and tail.  Without it there is no file that can be read.
	void finish(const StagingId &id, const StagingId &base_id, const IndexState &state);
	const std::string &last_path() const { return last_path_; }

private:
	void end_block();
	void flush();

	const File &file_;
	std::uint64_t offset_ = 0, records_ = 0, highest_sequence_ = 0;
	std::uint32_t block_count_ = 0;
	bool has_no_file_ = false;
	Buffer pending_, block_, table_;
	std::string first_path_, last_path_;
};

// A file that is there.  Its table is in memory, 64 bytes for 16 KiB and more for long paths; its
// blocks are read one by one.
class IndexFile {
public:
	// CorruptError when preamble, table or tail are damaged.
	explicit IndexFile(File file);

	struct Block {
		std::uint64_t offset;
		std::uint32_t size, checksum;
		std::string_view first_path;
	};

	const IndexTail &tail() const { return tail_; }
	const File &file() const { return file_; }
	const std::vector<Block> &blocks() const { return blocks_; }
	std::uint64_t size() const { return tail_.table_offset; }

	// CorruptError when it is damaged.
	Buffer read_block(std::size_t number) const;
	// The last block whose first path is at or before path; 0 when there is none.
	std::size_t block_for(std::string_view path) const;

private:
	void read_table(std::uint64_t end);

	File file_;
	IndexTail tail_;
	Buffer table_;
	std::vector<Block> blocks_;
};

// A walk over one file, which may be null.
class IndexFileCursor {
public:
	explicit IndexFileCursor(std::shared_ptr<IndexFile> file) : file_(std::move(file)) { rewind(0); }

	// Null at the end; until the next call.
	const IndexRecord *current() const { return has_record_ ? &record_ : nullptr; }
	void next();
	// To the first record at or behind path.
	void seek(std::string_view path);

private:
	void rewind(std::size_t number);

	std::shared_ptr<IndexFile> file_;
	std::size_t block_ = 0; // the one in content_
	Buffer content_;
	std::size_t at_ = 0; // of the next record in content_
	bool is_loaded_ = false;
	IndexRecord record_;
	bool has_record_ = false;
};

} // namespace dig

#endif
