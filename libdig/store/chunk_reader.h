// Which chunks content consists of, and their bytes: found, read, decoded and verified a few at a time.
//
// A chunk that a layer keeps raw is read to where it is wanted, without a copy.  Small chunks that were
// compressed together come out of their block, which is decoded once for all of them.
#ifndef DIG_CHUNK_READER_H
#define DIG_CHUNK_READER_H

#include "libdig/base/byte_range.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct ContentChunk {
	Digest id;
	std::uint64_t size = 0;
	std::uint64_t offset = 0; // in the entry's content
};

// The chunks of an entry's content that an extent touches, in order.  Nodes of the chunk list are
// read when they are come to, and only those on the way to the extent and in it.
class ChunkSequence {
public:
	ChunkSequence(Store &store, const Entry &entry, const ByteRange::Extent &extent);
	std::optional<ContentChunk> next();
	// Past the chunks that follow the one returned last and equal it; how many these are.
	std::uint64_t pass_repeats(const ContentChunk &last);

private:
	std::uint64_t end_;
	std::optional<ContentChunk> only_;
	std::optional<TreeCursor> cursor_;
};

// A chunk and, after it was read, its bytes or why there are none.
struct WantedChunk {
	ContentChunk chunk;
	Bytes bytes;
	std::string failure;
	int status = exit_status::done; // what the failure ends a command with

	bool has_failed() const { return status != exit_status::done; }
	// Of an equal chunk.
	void take_result(const WantedChunk &other)
	{
		bytes = other.bytes;
		status = other.status;
		if (other.has_failed())
			failure = other.failure;
	}
};

// Reads chunks a few at a time.  Of one thread.  A chunk that is wanted several times at once is
// found, read and verified once: content can name one tiny chunk millions of times.
class ChunkReader {
public:
	// cache keeps blocks that small chunks come out of; all must outlive the reader.
	ChunkReader(Store &store, ChunkCache &cache, Work &work) : store_(store), cache_(cache), clock_(work) {}
	// From now on blocks are not put into the cache, which costs a copy of each.  For callers that want
	// all that they need of a block at once.
	void keep_no_blocks() { keeps_blocks_ = false; }

	// Of the thread that the reader belongs to, for what is not reading.
	StepClock &clock() { return clock_; }

	// Finds the chunks.  The result is how much memory read() needs for them, and for the blocks that
	// they are decoded from.
	std::size_t locate(std::span<WantedChunk> chunks);
	// Reads what was located last into memory, and sets bytes or failure of each.
	void read(std::span<WantedChunk> chunks, MutableBytes memory)
	{
		read(chunks, memory, memory.last(scratch_size_));
	}
	// The part of that memory that is needed during read() only may lie elsewhere.
	std::size_t scratch_size() const { return scratch_size_; }
	void read(std::span<WantedChunk> chunks, MutableBytes memory, MutableBytes scratch);

private:
	// How to get at a chunk: read its bytes as they lie, decode its own block, take it out of a block
	// with others, or ask the store, which knows other places and what to say of damage.
	enum class Way : std::uint8_t { raw, decoded, solid, asked };
	struct Place {
		Way way = Way::asked;
		std::uint16_t item = 0;
		std::uint32_t chunk = 0; // which of those wanted
		ChunkCache::Key block{};
		BlockRecord record{};
		std::shared_ptr<Layer> layer;
		std::size_t at = 0; // where its bytes come, in the memory of read()
		MutableBytes to;
	};
	// Chunks that share a block, in the order of its items.
	struct Solid {
		std::size_t first, end; // in solid_
		bool is_whole;          // all of the block is wanted, and decoded to where it is wanted
	};

	// A chunk that equals one before it, whose bytes it gets.
	struct Repeat {
		std::uint32_t chunk, first;
	};

	void empty_table(std::size_t chunks);
	std::uint32_t first_of(std::span<const WantedChunk> chunks, std::uint32_t number);
	void find(const WantedChunk &wanted, Place &place);
	std::size_t place_alone(std::span<const WantedChunk> chunks, std::size_t size);
	std::size_t place_solid(std::span<const WantedChunk> chunks, std::size_t size);
	bool is_whole(std::span<const WantedChunk> chunks, const Solid &solid) const;
	void read_alone(Place &place, MutableBytes scratch);
	void read_whole(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch);
	void read_parts(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch);
	void read_uncached(std::span<WantedChunk> chunks, const Solid &solid, MutableBytes scratch);
	std::shared_ptr<const DecodedBlock> cached_block(const Place &place, MutableBytes scratch);
	BlockShape decode(const Place &place, MutableBytes stored, MutableBytes raw);
	void have(std::span<WantedChunk> chunks, const Place &place);
	void verify(std::span<WantedChunk> chunks);
	void ask(WantedChunk &wanted, MutableBytes to);

	Store &store_;
	ChunkCache &cache_;
	StepClock clock_;
	Decompressor decompressor_;
	std::vector<Place> places_; // of chunks that differ
	std::vector<Repeat> repeats_;
	std::vector<std::uint32_t> table_; // open addressing, by digest: numbers of chunks that differ
	std::size_t scratch_size_ = 0;
	bool keeps_blocks_ = true;
	bool is_slow_ = false; // what was read last was not cached
	std::vector<Place *> solid_;  // sorted by block and item
	std::vector<Solid> blocks_;
	std::vector<HashJob> jobs_; // of chunks that were read and not verified
	std::size_t jobs_size_ = 0; // bytes
	std::vector<Digest> digests_;
};

CorruptError wrong_chunk_size(const Digest &chunk);

} // namespace dig

#endif
