// Content on its way back: chunks are found, read, decoded and verified by several threads, ahead
// of whoever takes them.
//
//     chunk list ─► some chunks: find ─► memory ─► read, decode ─► verify ─► take, in order
//                   some chunks: ...
//
// Every byte that is handed out was compared with its chunk's digest.  A chunk that a layer keeps
// raw is read to where it is taken from, without a copy; small chunks that were compressed
// together come out of their block, which is decoded once for all that want a part of it.
#ifndef DIG_READ_PIPELINE_H
#define DIG_READ_PIPELINE_H

#include <condition_variable>
#include <deque>
#include <utility>

#include "libdig/base/byte_range.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/os/arena.h"
#include "libdig/os/workers.h"
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

// Memory that content passes through: a ring, bounded in bytes whatever the number of threads.
// Any thread.
class ReadMemory {
public:
	// limit is kept but for a piece that is larger by itself; a piece is at most largest_piece.
	explicit ReadMemory(std::size_t limit);

	// A unit or a chunk, and the block that a chunk is decoded from.
	static constexpr std::size_t largest_piece = 40_MiB;

	// Gives the memory back when it is destroyed.
	class Lease {
	public:
		Lease() = default;
		Lease(ReadMemory &memory, MutableBytes bytes) : memory_(&memory), bytes_(bytes) {}
		Lease(Lease &&other) noexcept
			: memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_)
		{
		}
		Lease &operator=(Lease &&other) noexcept;
		~Lease() { give_back(); }
		MutableBytes bytes() const { return bytes_; }
		void give_back() noexcept;

	private:
		ReadMemory *memory_ = nullptr;
		MutableBytes bytes_;
	};

	// Waits until there is room.  Throws Stopped after stop().
	Lease take(std::size_t size);
	void stop();
	struct Stopped {};

private:
	struct Piece {
		std::size_t offset, size;
		bool is_free = false;
	};
	std::optional<std::size_t> find_room(std::size_t size) const;

	Arena arena_;
	std::size_t limit_;
	bool is_stopped_ = false;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Piece> pieces_; // oldest first
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

	// Of the thread that the reader belongs to, for what is not reading.
	StepClock &clock() { return clock_; }

	// Finds the chunks.  The result is how much memory read() needs for them.
	std::size_t locate(std::span<WantedChunk> chunks);
	// Reads what was located last into memory, and sets bytes or failure of each.
	void read(std::span<WantedChunk> chunks, MutableBytes memory);

private:
	// How a chunk is got at: bytes as they lie, a block of its own to decode, a block with
	// others, or by asking the store, which knows other places and words for what is wrong.
	enum class Way : std::uint8_t { raw, decoded, solid, asked };
	struct Place {
		Way way = Way::asked;
		std::uint16_t item = 0;
		std::uint32_t chunk = 0; // which of those wanted
		ChunkCache::Key block{};
		BlockRecord record{};
		std::shared_ptr<Layer> layer;
		MutableBytes to;
	};

	// A chunk that equals one before it, whose bytes it gets.
	struct Repeat {
		std::uint32_t chunk, first;
	};

	void empty_table(std::size_t chunks);
	std::uint32_t first_of(std::span<const WantedChunk> chunks, std::uint32_t number);
	void find(const WantedChunk &wanted, Place &place);
	void read_alone(Place &place, MutableBytes scratch);
	void read_solid(std::span<WantedChunk> chunks);
	std::shared_ptr<const DecodedBlock> block_of(const Place &place, bool is_wanted_whole);
	void decode(const Place &place, DecodedBlock &block);
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
	bool is_slow_ = false; // what was read last was not cached
	std::vector<Place *> solid_;
	Buffer stored_;
	std::shared_ptr<DecodedBlock> scratch_block_;
	std::vector<HashJob> jobs_;
	std::vector<Digest> digests_;
};

// How content is read, as the settings allow.
struct ReadPlan {
	explicit ReadPlan(const Settings &settings);

	std::size_t threads;
	std::size_t memory; // limit of ReadMemory
	// As many bytes of chunks, or one chunk, are read by a thread at a time.
	std::uint64_t unit;
};

class ReadPipeline {
public:
	explicit ReadPipeline(Store &store, Work &work = unseen_work());

	// Hands the extent of the entry's content to take, piece by piece and in order; take is
	// called from several threads, but never by two at once.  Costs the blocks that the extent
	// touches; little content is read without starting a thread.  When a chunk cannot be read,
	// what lies before it was handed out and the error names it.
	using Take = std::function<void(Bytes)>;
	void read(const Entry &entry, const ByteRange::Extent &extent, const Take &take);

private:
	struct Run;
	void read_little(const Entry &entry, const ByteRange::Extent &extent, const Take &take);

	Store &store_;
	Work &work_;
	ReadPlan plan_;
	std::unique_ptr<ReadMemory> memory_;
};

} // namespace dig

#endif
