// Sorted runs on disk: where chunks and nodes are (dig-store-layout(5), "N.run").
//
//     +-------------+----------------+----------------+
//     | head page   | fanout pages   | record pages   |   4096 bytes each, with a CRC-32
//     | 24 + 80     | 511 u64 a page | 85 records     |
//     +-------------+----------------+----------------+
//
// A run is derived from the layers or from the journal, and names its source.  This is necessary
// because stores are copied and restored in parts: then the same generation or offset can stand for
// something else.  A reader who finds a run damaged, or made of another source, goes on without it.
#ifndef DIG_CHUNK_RUN_H
#define DIG_CHUNK_RUN_H

#include <functional>
#include <memory>

#include "libdig/format/layer_format.h"
#include "libdig/os/file.h"

namespace dig {

struct RunRecord {
	Digest digest;
	le32 generation;
	le32 block;
	le16 item;
	std::uint8_t kind;
	std::uint8_t zero[5] = {};

	bool operator<(const RunRecord &other) const
	{
		const int order = std::memcmp(digest.bytes.data(), other.digest.bytes.data(), 32);
		return order ? order < 0 : kind < other.kind;
	}
	bool is_same_item(const RunRecord &other) const
	{
		return digest == other.digest && kind == other.kind;
	}
};
static_assert(sizeof(RunRecord) == 48);

// Gives records in ascending order, and nothing at the end.
using RunRecords = std::function<std::optional<RunRecord>()>;

struct RunCoverage {
	std::uint64_t first_generation = 0, last_generation = 0; // chunk-index/
	std::uint64_t journal_offset = 0;                        // staging/
	// The root of the last generation, or the journal's id and zeros.  Zeros in runs of version
	// 1.
	Digest source{};
};

// Writes a run into file, in order except for its fanout.  If several records have the same item,
// the first one is kept.  There are at most count_limit records.
void write_run(const File &file, const RunCoverage &coverage, std::uint64_t count_limit,
	const RunRecords &records);

// A look-up reads one page or two.  A run of at most cached_size bytes is read as a whole instead, once
// there were some look-ups.  One thread at a time.
class ChunkRun {
public:
	// Throws a CorruptError if the head or the fanout is damaged.
	explicit ChunkRun(File file, std::size_t cached_size = 0);

	const RunCoverage &coverage() const { return coverage_; }
	std::uint64_t count() const { return count_; }
	std::optional<RunRecord> find(ItemKind kind, const Digest &digest);
	// All records in order, for merging.
	RunRecords records();
	// Checks every page, and the order of the records.
	void check();
	const File &file() const { return file_; }

private:
	Bytes page(std::uint64_t number);
	RunRecord record(std::uint64_t number);

	File file_;
	RunCoverage coverage_;
	std::uint64_t count_ = 0;
	int bits_ = 0;
	std::uint64_t first_record_page_ = 0;
	std::vector<std::uint64_t> fanout_;
	std::size_t cached_size_;
	int reads_ = 0;
	Buffer pages_;                       // the whole file, or
	std::uint64_t first_page_ = 0;       // a window of it
	std::uint64_t page_count_ = 0;
};

// Merges several sources, in order.  If several have the same item, the record of the earliest
// source is kept.
RunRecords merge_records(std::vector<RunRecords> sources);

} // namespace dig

#endif
