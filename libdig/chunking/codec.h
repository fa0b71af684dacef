// Compression of one block.  Contexts are made once a thread and used again.
#ifndef DIG_CODEC_H
#define DIG_CODEC_H

#include <memory>

#include "libdig/base/bytes.h"

namespace dig {

enum class Codec : std::uint8_t { none = 0, zlib = 1, zstd = 2 };

// How hard zstd tries at its usual level: less costs a tenth of the time less, and up to a thirtieth
// of the size more.
enum class Effort : std::uint8_t { usual, less };

class Compressor {
public:
	// level 0 is the codec's own default for dig: 1 for both, the speed of a store.
	Compressor(Codec codec, int level);
	~Compressor();
	Compressor(Compressor &&) noexcept;

	Codec codec() const { return codec_; }
	// Compresses raw into the start of out.  Returns the size, or 0 when it would not be smaller
	// than limit bytes (or out): then raw is stored as it is.
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

	// Fills all of out, whose size the caller has checked against its limits; false when the
	// payload is damaged or does not decode to exactly that many bytes.
	bool decompress(Codec codec, Bytes payload, MutableBytes out);

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace dig

#endif
