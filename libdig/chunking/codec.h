// Compresses and decompresses one block.  A compressor or decompressor keeps the memory of its
// codec, so that each thread makes one and uses it again.
#ifndef DIG_CODEC_H
#define DIG_CODEC_H

#include <memory>

#include "libdig/base/bytes.h"

namespace dig {

enum class Codec : std::uint8_t { none = 0, zlib = 1, zstd = 2 };

// How hard zstd tries at its usual level.  With Effort::less it takes up to a tenth less time, and
// the result is up to a thirtieth larger.
enum class Effort : std::uint8_t { usual, less };

class Compressor {
public:
	// level 0 stands for level 1 of either codec, which is as fast as a store can be written.
	Compressor(Codec codec, int level);
	~Compressor();
	Compressor(Compressor &&) noexcept;

	Codec codec() const { return codec_; }
	// Compresses raw into the start of out.  Returns the size, or 0 if the result needs more
	// than limit bytes or more than out has.
	std::size_t compress(Bytes raw, MutableBytes out, std::size_t limit, Effort effort = Effort::usual);

private:
	struct State;
	std::size_t compress_zstd(Bytes raw, MutableBytes out, Effort effort);
	std::size_t compress_zlib(Bytes raw, MutableBytes out);

	Codec codec_;
	int level_;
	std::unique_ptr<State> state_;
};

class Decompressor {
public:
	Decompressor();
	~Decompressor();
	Decompressor(Decompressor &&) noexcept;

	// Fills out.  False if the payload is damaged or does not decode to exactly out.size()
	// bytes.  The caller has checked that size against its limits.
	bool decompress(Codec codec, Bytes payload, MutableBytes out);

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace dig

#endif
