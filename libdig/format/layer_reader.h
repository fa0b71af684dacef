// Reads a layer file: found from its end, checked as far as it is read.
#ifndef DIG_LAYER_READER_H
#define DIG_LAYER_READER_H

#include <atomic>
#include <functional>
#include <mutex>

#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_format.h"
#include "libdig/os/file.h"
#include "libdig/watch/metrics.h"

namespace dig {

// A block as it lies in a file.
struct StoredBlock {
	BlockShape shape;
	Buffer bytes; // prefix and payload
	Bytes payload() const { return Bytes(bytes).subspan(shape.prefix_size()); }
};

// Reads and checks the block at offset; length is what is known of its size.
StoredBlock read_stored_block(const File &file, std::uint64_t offset, std::uint32_t length);
// Decodes into out (raw_size bytes) and checks the payload's checksum, not the items' digests.
void decode_block(const StoredBlock &block, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset);
// What the item's bytes are addressed by; nothing where they are no node.
std::optional<Digest> item_digest(ItemKind kind, Bytes bytes);

// Memory that layers, together, may keep of their chunk indexes.  Any thread.
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

class Layer {
public:
	// Without a room, the layer has one of its own.
	explicit Layer(const std::string &path, std::shared_ptr<IndexRoom> room = nullptr);
	~Layer();
	Layer(const Layer &) = delete;

	const std::string &name() const { return file_.name(); }
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
	BlockRecord block(std::uint32_t number) const;
	StoredBlock read_block(std::uint32_t number) const;
	// The chunk index in order, as of the given generation.
	RunRecords records(std::uint64_t generation) const;

	// Every block and its items' digests, by several threads.  problem and progress (bytes read,
	// now and then; may throw) are called by one thread at a time.  Chunks, and the times of
	// reading, decompressing and hashing, are added to work.
	void check_blocks(unsigned threads, const std::function<void(const std::string &)> &problem,
		const std::function<void(std::uint64_t)> &progress, Work &work) const;
	// Of one item, from its block's header.
	std::uint64_t item_size(const Place &place) const;
	// One block and its items' digests against the records that point into it, which are in the
	// order of items.  Any thread.
	void check_block(std::uint32_t number, std::span<const ChunkRecord> records,
		Decompressor &decompressor, Buffer &scratch, StepClock &clock) const;
	// Whether a block is as it was written, as far as can be told without decoding it: by its
	// checksum; or, where it is raw and has none, an item of it by comparison with content, or a
	// chunk by its digest where there is no content at hand.
	enum class Intact { no, item, block };
	Intact look_at_block(const Place &place, const Digest &digest, Bytes content) const;
	// Everything but the blocks' payloads.
	void check_structure() const;
	// The checksums of chunk index and block table, and that blocks lie in the file: what a
	// look-up relies on.  Costs their size.
	void check_index() const;
	std::uint64_t index_size() const;

private:
	SectionRecord section(Section type) const;
	Buffer read_section(Section type, std::size_t limit) const;
	void read_footer();
	void read_small_sections();
	ChunkRecord chunk_record(std::uint64_t number) const;
	std::uint64_t fanout_at(std::uint32_t slot) const;
	void keep_index() const;
	BlockShape block_shape(const BlockRecord &record) const;
	bool is_raw_item(std::uint64_t offset, Bytes content) const;
	Digest raw_digest(std::uint64_t offset, std::uint64_t size) const;
	void check_section(const SectionRecord &at) const;
	void require_in_blocks(const BlockRecord &record, std::uint64_t at) const;
	std::vector<ChunkRecord> items_of_blocks(std::uint32_t first, std::uint32_t last) const;

	File file_;
	std::uint64_t file_size_ = 0;
	std::vector<SectionRecord> sections_;
	Digest pack_id_;
	bool is_full_ = false;
	LayerHeader header_;
	Digest id_;
	MerklePeaks peaks_;
	std::string author_, message_;
	std::uint64_t block_count_ = 0, item_count_ = 0;
	int bits_ = 0;
	std::uint64_t records_offset_ = 0;
	mutable std::mutex mutex_;
	// Kept once look-ups are many and where there is room, else read each time.
	std::shared_ptr<IndexRoom> room_;
	mutable std::size_t taken_room_ = 0;
	mutable std::vector<std::uint64_t> fanout_;
	mutable Buffer index_; // all records
	mutable int lookups_ = 0;
};

} // namespace dig

#endif
