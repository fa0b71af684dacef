// Content on its way to clients: pulled piece by piece, each as far as a client takes it, in memory
// that all of them share and that is bounded.  Every byte was compared with its chunk's digest.
#ifndef DIG_SERVED_CONTENT_H
#define DIG_SERVED_CONTENT_H

#include <deque>

#include "libdig/gateway/chunk_walk.h"
#include "libdig/gateway/decoded_blocks.h"
#include "libdig/gateway/verified_chunks.h"

namespace dig {

// Memory in large pieces that are used again.
class WindowMemory {
public:
	explicit WindowMemory(std::size_t limit) : limit_(limit) {}
	WindowMemory(const WindowMemory &) = delete;

	class Lease {
	public:
		Lease() = default;
		Lease(WindowMemory &owner, std::unique_ptr<std::uint8_t[]> bytes, std::size_t size)
			: owner_(&owner), bytes_(std::move(bytes)), size_(size)
		{
		}
		Lease(Lease &&) = default;
		Lease &operator=(Lease &&other) noexcept;
		~Lease();
		MutableBytes bytes() const { return {bytes_.get(), size_}; }

	private:
		WindowMemory *owner_ = nullptr;
		std::unique_ptr<std::uint8_t[]> bytes_;
		std::size_t size_ = 0;
	};
	// Nothing if that would be more than the limit.
	std::optional<Lease> find(std::size_t size);
	// For the time of one call: beyond the limit, as there are only so many threads.
	Lease get(std::size_t size);

private:
	Lease take(std::size_t size, std::unique_lock<std::mutex> lock);
	void give_back(std::unique_ptr<std::uint8_t[]> bytes, std::size_t size);

	std::size_t limit_;
	std::mutex mutex_;
	std::size_t size_ = 0; // of all leases
	std::size_t idle_size_ = 0;
	std::vector<std::pair<std::size_t, std::unique_ptr<std::uint8_t[]>>> idle_;
};

// Any thread may call.
class ServedContent {
public:
	struct Limits {
		std::size_t blocks;            // decoded blocks in memory, which small files come out of
		std::uint64_t block_file;      // the same in a temporary file
		std::size_t windows;           // what clients take from
		std::size_t checksums = 4_MiB; // of chunks that were verified
	};
	ServedContent(Store &store, KeptNodes &nodes, const Limits &limits);

	// To be called when the store has changed.
	void forget_places() { blocks_.clear(); }

	// Some content that is read and verified.
	struct Window {
		std::vector<Bytes> parts;
		WindowMemory::Lease memory;
	};

	// The extent of the entry's content, which has the size of out.
	void read(const Entry &entry, const ByteRange::Extent &extent, MutableBytes out);
	// All of the extent.  Nothing if others have the memory, or if it is in very many chunks.
	std::optional<Window> find_window(const Entry &entry, const ByteRange::Extent &extent);

	// What is read in order by one client, of any size.
	class Stream {
	public:
		Stream(ServedContent &content, Entry entry, const ByteRange::Extent &extent);
		// Reads the first bytes, if there is memory for them: what is wrong with them is known then.
		void prepare();
		// Fills some of out, at least a byte; nothing at the end.
		std::size_t read(MutableBytes out);

	private:
		void take_chunks();
		bool fill_window(std::size_t wanted_now);
		std::size_t take_from_window(MutableBytes out);

		ServedContent &content_;
		Entry entry_;
		ByteRange::Extent extent_;
		ChunkWalk chunks_;
		std::deque<ContentChunk> ahead_; // come next
		std::uint64_t offset_;           // of the next byte
		Window window_;
		std::size_t part_ = 0, taken_ = 0;
		bool is_kept_ = true; // the window, until it is taken
	};

private:
	class Reader;
	// How some chunks are read: parts of those that were verified, and all of the others.
	struct Plan {
		std::vector<std::optional<VerifiedChunks::Part>> known; // one for each chunk
		std::vector<WantedChunk> wanted;                        // the others
		std::size_t wanted_size = 0, size = 0;                  // memory
	};
	Plan planned(ChunkReader &reader, std::span<const ContentChunk> chunks, const ByteRange::Extent &extent,
		bool trusts_checksums);
	// For a chunk that will be read again: where it takes decoding, puts it where it takes none.
	void keep_decoded(const WantedChunk &wanted);
	// False if a checksum is another one, so that it has to be planned without them.
	bool read_planned(ChunkReader &reader, Plan &plan, const ByteRange::Extent &extent, Window &window);
	bool read_small(const Entry &entry, MutableBytes out);
	bool find_decoded(const ItemPlace &place, const Digest &chunk, MutableBytes out);
	// Reads the chunks; throws what is wrong with the first that cannot be read.
	void read_chunks(ChunkReader &reader, std::span<WantedChunk> chunks, MutableBytes memory);

	Store &store_;
	KeptNodes &nodes_;
	DecodedBlocks blocks_;
	VerifiedChunks verified_;
	WindowMemory memory_;
	std::mutex mutex_;
	std::vector<std::unique_ptr<ChunkReader>> idle_readers_;
};

} // namespace dig

#endif
