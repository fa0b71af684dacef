// Chunks that were compared with their digests, so that parts of them can be read again without the
// whole: a CRC-32 is kept of every 64 KiB.
//
// A digest is of a whole chunk, and a client may want some bytes of it.  The first time, all of the
// chunk is read and hashed.  After that, the checksums tell whether storage still gives the same bytes.
#ifndef DIG_VERIFIED_CHUNKS_H
#define DIG_VERIFIED_CHUNKS_H

#include <unordered_map>

#include "libdig/gateway/decoded_blocks.h"
#include "libdig/store/chunk_reader.h"

namespace dig {

// Any thread may call.
class VerifiedChunks {
public:
	// The memory of the checksums is bounded by capacity.
	VerifiedChunks(Store &store, DecodedBlocks &blocks, std::size_t capacity)
		: store_(store), blocks_(blocks), most_(capacity / entry_size)
	{
	}

	// A part of a chunk that lies raw in a layer, or decoded in the file of blocks.
	struct Part {
		std::shared_ptr<const File> file;
		std::uint64_t offset = 0; // of the chunk, in the file
		ContentChunk chunk;
		std::shared_ptr<const std::vector<std::uint32_t>> checksums;
		std::uint64_t from = 0, to = 0;   // what is wanted, in the chunk
		std::uint64_t begin = 0, end = 0; // what has to be read for it
		std::size_t size() const { return end - begin; }
	};
	// What the extent of the content has of the chunk.  Nothing unless it was verified and lies raw or decoded.
	std::optional<Part> find(const ContentChunk &chunk, const ByteRange::Extent &extent);
	// Reads the part into memory of its size; returns what is wanted of it.  Nothing if a byte has changed.
	static std::optional<Bytes> read(const Part &part, MutableBytes memory);

	// Notes a chunk whose bytes were just compared with its digest.
	void note(const ContentChunk &chunk, Bytes bytes);

private:
	using Checksums = std::shared_ptr<const std::vector<std::uint32_t>>;
	using Known = std::unordered_map<Digest, Checksums, DigestHash>;
	static constexpr std::size_t entry_size = 256;
	Checksums checksums_of(const Digest &chunk);

	Store &store_;
	DecodedBlocks &blocks_;
	std::size_t most_;
	std::mutex mutex_;
	Known young_, old_;
};

} // namespace dig

#endif
