// Chunks of long runs of zeros, which are known without being read.
#ifndef DIG_ZERO_CHUNKS_H
#define DIG_ZERO_CHUNKS_H

#include <algorithm>
#include <vector>

#include "libdig/base/zeros.h"
#include "libdig/store/chunk_reader.h"

namespace dig {

class ZeroChunks {
public:
	// In every tier of sizes zeros are cut at the largest size.
	explicit ZeroChunks(const ChunkingParameters &chunking)
	{
		for (std::uint64_t offset : {std::uint64_t(0), chunking.small_file_threshold,
			     chunking.medium_file_threshold, chunking.huge_file_threshold})
			sizes_.push_back(limits_for_target(chunking.target_at(offset)).maximum);
	}

	// Not for zeros behind which a file ends.
	bool has(const ContentChunk &chunk) const
	{
		return std::find(sizes_.begin(), sizes_.end(), chunk.size) != sizes_.end() &&
			chunk.id == zero_digest(chunk.size);
	}

private:
	std::vector<std::uint64_t> sizes_;
};

} // namespace dig

#endif
