#include "libdig/chunking/block_compressor.h"

namespace dig {

constexpr std::size_t sample_size = 16_KiB;
// Samples that are a small part of the block only: else they cost more than they save.
constexpr std::size_t least_sampled = 8 * sample_size;

BlockPayload BlockCompressor::compress(Bytes raw, MutableBytes room, Effort effort)
{
	// A gain of less than 5 % is not worth the time of everybody who reads the block.
	const std::size_t limit = raw.size() - raw.size() / 20;
	const std::size_t size = compressor_.compress(raw, room, limit, effort);
	return size > 0 ? BlockPayload{codec(), Bytes(room).first(size)} : BlockPayload{Codec::none, raw};
}

bool BlockCompressor::looks_compressible(Bytes raw, MutableBytes room)
{
	if (raw.size() < least_sampled)
		return true;
	for (const std::size_t at : {std::size_t(0), raw.size() / 2, raw.size() - sample_size})
		if (compressor_.compress(raw.subspan(at, sample_size), room, sample_size - sample_size / 32))
			return true;
	return false;
}

} // namespace dig
