// Reads a layer file from its end, and checks what it reads.
#ifndef DIG_LAYER_READER_H
#define DIG_LAYER_READER_H

#include <atomic>
#include <functional>
#include <mutex>

#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_table.h"
#include "libdig/format/stored_block.h"
#include "libdig/os/arena.h"
#include "libdig/watch/metrics.h"

namespace dig {

// The memory that all layers of a store together may take for chunk indexes that they keep.  Any
// thread.
class IndexRoom {
public:
	explicit IndexRoom(std::size_t size) : left_(static_cast<std::int64_t>(size)) {}
	bool take(std::size_t size)
	{
		if (left_.fetch_sub(static_cast<std::int64_t>(size)) >= static_cast<std::int64_t>(size))
			return true;
		give_back(size);
		return false;
	}
	void give_back(std::size_t size) { left_.fetch_add(static_cast<std::int64_t>(size)); }

private:
	std::atomic<std::int64_t> left_;
};

class LayerHints;

class Layer {
public:
	// Without a room, the layer has one of its own.
	explicit Layer(const std::string &path, std::shared_ptr<IndexRoom> room = nullptr);
	Layer(File file, std::uint64_t size, std::shared_ptr<IndexRoom> room = nullptr);
	~Layer();
	Layer(const Layer &) = delete;

	const std::string &name() const { return file_.name(); }
	// A merged layer has the items of several generations, and what these say of themselves: for it,
	// only state() tells of a generation.  Its epoch says which of several files for a generation counts.
	bool is_merged() const { return is_merged_; }
	// A pack has chunks and nodes only, and says nothing of any state.
	bool is_pack() const { return is_pack_; }
	// The blocks are none of the file, but lie in these packs.
	bool is_elsewhere() const { return has_section(Section::elsewhere); }
	std::vector<PackElsewhere> packs_elsewhere() const;
	// Gives the blocks by their offsets in the block table.
	void read_blocks_from(std::shared_ptr<ByteSource> source) { file_.read_from(std::move(source), elsewhere_begin); }
	const GenerationRange &generations() const { return generations_; }
	std::uint64_t epoch() const { return epoch_; }
	// What was dropped of the store when this merged layer was made.
	std::vector<GenerationRange> dropped() const;
	Packing packing() const;
	// The parameters with which its states were made, if it says so.  Compare with the digest in a header.
	std::optional<ChunkingParameters> chunking() const;
	// CorruptError when it does not have the generation, or not as it was written.
	LayerState state(std::uint64_t generation) const;

	const LayerHeader &header() const { return header_; }
	const Digest &id() const { return id_; }
	const MerklePeaks &peaks_before() const { return peaks_; }
	// The root of its generation, from the peaks and the id.
	Digest root() const;
	const std::string &author() const { return author_; }
	const std::string &message() const { return message_; }
	bool is_full() const { return is_full_; }
	const Digest &pack_id() const { return pack_id_; }
	std::uint64_t file_size() const { return file_size_; }
	std::uint64_t block_count() const { return block_count_; }
	std::uint64_t item_count() const { return item_count_; }
	const File &file() const { return file_; }

	// Where an item is.  Any thread.
	struct Place {
		std::uint32_t block;
		std::uint16_t item;
	};
	std::optional<Place> find(ItemKind kind, const Digest &digest) const;
	// Without the hints, after one that was wrong.
	std::optional<Place> find_in_index(ItemKind kind, const Digest &digest) const;
	// A node of the section of hints, not compared with its id.
	std::optional<Buffer> hinted_node(const Digest &id) const;
	BlockRecord block(std::uint32_t number) const;
	StoredBlock read_block(std::uint32_t number) const;
	// The records of the chunk index in order.  Each gets the given generation.
	RunRecords records(std::uint64_t generation) const;

	// Called for each block that is damaged, with the records of what it should hold.
	using BlockProblem =
		std::function<void(std::uint32_t block, std::span<const ChunkRecord> items, const std::string &problem)>;
	struct BlockRange {
		std::uint32_t first = 0, end = UINT32_MAX;
		std::function<bool()> is_over = {}; // asked before each block; any thread
	};
	// Checks blocks and the digests of their items, by several threads.  The blocks take at most memory
	// bytes, stored and decoded, or as much as one block needs.  progress gets the bytes read since its last
	// call; it and problem may throw.  One thread at a time calls them.  Adds chunks, and the times of
	// reading, decompressing and hashing, to work.  Returns the number behind the last block that was
	// checked: all blocks of the range before it were, too.
	std::uint32_t check_blocks(std::size_t threads, std::size_t memory, const BlockProblem &problem,
		const std::function<void(std::uint64_t)> &progress, Work &work, const BlockRange &range) const;
	void check_blocks(std::size_t threads, std::size_t memory, const BlockProblem &problem,
		const std::function<void(std::uint64_t)> &progress, Work &work) const
	{
		check_blocks(threads, memory, problem, progress, work, {});
	}
	// The size of an item's content, from the header of its block.
	std::uint64_t item_size(const Place &place) const;
	// Checks a block, and the digests of its items against records: all those that point into
	// the block, in the order of items.  memory has room for the block stored and decoded.  Any
	// thread.
	void check_block(std::uint32_t number, std::span<const ChunkRecord> records,
		Decompressor &decompressor, MutableBytes memory, StepClock &clock) const;
	// Whether a block is as it was written, as far as this can be told without decoding it.  A
	// compressed block has a checksum.  A raw one has none: then a single item is compared with
	// content, or, if content is empty, a chunk is hashed.
	enum class Intact { no, item, block };
	Intact look_at_block(const Place &place, const Digest &digest, Bytes content) const;
	// Checks all but the payloads of blocks.
	void check_structure() const;
	// Checks what a look-up relies on: the checksums of chunk index and block table, and that
	// all blocks lie in the file.  Reads the two sections once.
	void check_index() const;
	std::uint64_t index_size() const;
	// Bytes from the first block to the end of the last one.
	std::uint64_t blocks_size() const { return blocks_end_ - blocks_begin_; }

private:
	static constexpr std::size_t index_head_size = 16; // item count, bits of the fanout, zeros

	std::optional<Place> look_up(ItemKind kind, const Digest &digest) const;
	std::optional<Place> follow_hint(ItemKind kind, const Digest &digest) const;
	std::optional<BlockRecord> hinted_block(std::uint32_t number) const;
	bool read_hints();
	SectionRecord section(Section type) const;
	bool has_section(Section type) const;
	Buffer read_section(Section type, std::size_t limit) const;
	void read_footer();
	void read_small_sections();
	void read_header();
	void read_states();
	void read_tables();
	ChunkRecord chunk_record(std::uint64_t number) const;
	std::uint64_t fanout_at(std::uint32_t slot) const;
	void keep_index() const;
	BlockShape block_shape(const BlockRecord &record) const;
	bool is_raw_item(std::uint64_t offset, Bytes content) const;
	Digest raw_digest(std::uint64_t offset, std::uint64_t size) const;
	void check_section(const SectionRecord &at) const;
	void check_records(Hasher &pack) const;
	void check_block_table() const;
	void require_in_blocks(const BlockRecord &record, std::uint64_t at) const;
	std::vector<ChunkRecord> items_of_blocks(std::uint32_t first, std::uint32_t last, std::size_t count) const;

	File file_;
	std::uint64_t file_size_ = 0;
	std::uint64_t blocks_begin_ = sizeof(Preamble), blocks_end_ = 0;
	std::vector<SectionRecord> sections_;
	Digest pack_id_;
	bool is_full_ = false, is_merged_ = false, is_pack_ = false;
	GenerationRange generations_{};
	std::uint64_t epoch_ = 0;
	LayerHeader header_;
	Digest id_;
	MerklePeaks peaks_;
	std::string author_, message_;
	std::uint64_t block_count_ = 0, item_count_ = 0;
	int bits_ = 0;
	std::uint64_t records_offset_ = 0;
	mutable std::mutex mutex_;
	// Kept after many look-ups if room_ has the memory, and read for each look-up before.
	std::shared_ptr<IndexRoom> room_;
	mutable std::size_t taken_room_ = 0;
	mutable std::vector<std::uint64_t> fanout_;
	mutable Buffer index_; // all records
	mutable int lookups_ = 0;
	std::unique_ptr<LayerHints> hints_; // where the file comes from elsewhere
};

} // namespace dig

#endif
