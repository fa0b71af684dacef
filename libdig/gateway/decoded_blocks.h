// Decoded blocks that many small files come out of.  The last ones are in memory.  Those that were
// decoded more than once are also in a temporary file, out of which one item can be read.  So are
// decoded chunks of large files that clients take in pieces, when there is no memory for them.
#ifndef DIG_DECODED_BLOCKS_H
#define DIG_DECODED_BLOCKS_H

#include <set>

#include "libdig/os/file.h"
#include "libdig/store/chunk_cache.h"

namespace dig {

// Any thread may call.
class DecodedBlocks {
public:
	// memory bounds what is in memory, file_size the file in this directory; without one there is no file.
	DecodedBlocks(std::size_t memory, std::string directory, std::uint64_t file_size)
		: cache_(memory), directory_(std::move(directory)), most_(file_size)
	{
	}

	// For a ChunkReader, which puts there what it decodes.
	ChunkCache &cache() { return cache_; }
	// The item, if it has the size of out.  Nothing of it is verified.
	bool find(const ChunkCache::Key &block, std::uint16_t item, MutableBytes out);
	// A block was decoded, and is perhaps in the cache now.
	void note(const ChunkCache::Key &block);
	// Puts the only chunk of a block into the file.
	void keep_chunk(const ChunkCache::Key &block, Bytes chunk);
	struct Place {
		std::shared_ptr<const File> file;
		std::uint64_t offset = 0;
	};
	// Where such a chunk of this size is.  The bytes there may be others by the time that they are read.
	std::optional<Place> find_chunk(const ChunkCache::Key &block, std::uint64_t size);
	// Other blocks may have these names now.
	void clear();

private:
	struct Stored {
		std::uint64_t offset;
		std::vector<std::uint32_t> ends;
	};
	void store(const ChunkCache::Key &key, Bytes raw, std::vector<std::uint32_t> ends);

	ChunkCache cache_;
	std::string directory_;
	std::uint64_t most_;
	std::mutex mutex_;
	std::set<ChunkCache::Key> seen_;
	std::map<ChunkCache::Key, std::shared_ptr<const Stored>> stored_;
	std::shared_ptr<const File> file_;
	std::uint64_t end_ = 0;
};

} // namespace dig

#endif
