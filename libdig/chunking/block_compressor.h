// The payload of a block: its items compressed, or as they are where compression gains too little.
#ifndef DIG_BLOCK_COMPRESSOR_H
#define DIG_BLOCK_COMPRESSOR_H

#include "libdig/chunking/codec.h"

namespace dig {

// What is stored of a block, and how.
struct BlockPayload {
	Codec codec;
	Bytes bytes;
};

// One a thread: it holds the codec's memory.
class BlockCompressor {
public:
	// level as Compressor takes it.
	BlockCompressor(Codec codec, int level) : compressor_(codec, level) {}

	Codec codec() const { return compressor_.codec(); }

	// The payload for raw.  It lies at the start of room and is at least 5 % smaller than raw;
	// or it is raw itself, with Codec::none, when that cannot be had.  room never needs more
	// bytes than raw.
	BlockPayload compress(Bytes raw, MutableBytes room, Effort effort = Effort::usual);

	// False when three samples of raw, of 16 KiB each, hardly shrink: then compress() is not
	// worth its time.  True without looking for blocks of less than 128 KiB.  room as for
	// compress().
	bool looks_compressible(Bytes raw, MutableBytes room);

private:
	Compressor compressor_;
};

} // namespace dig

#endif
