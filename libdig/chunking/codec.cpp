#include "libdig/chunking/codec.h"

#include <algorithm>
#include <new>

#include <zlib.h>
// For the parameter that keeps literals compressed where the search for matches skips positions.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

namespace dig {

// What zstd is asked for.  Zero is what it takes for its level itself.
//
// Level 1 looks every position up in a table of 64 KiB.  With less effort the table is one of 32 KiB,
// which stays in the first cache, unless content shrinks to between a half and a quarter, for which it
// is too small; and where content hardly shrinks, most positions are passed over.  Measured on blocks
// of 0.5 to 1 MiB against level 1, time and size: Linux source 0.91 and 1.02, a tar of /usr 0.88 and
// 1.025, small text files 1.0 and 1.0.  (A table of 32 KiB for them: 0.92 and 1.05; skipping in the
// Linux source: 0.97 and 1.03.)
struct Search {
	int hash_log, min_match, target_length;
	bool operator==(const Search &) const = default;
};
constexpr Search usual_search{0, 0, 0}, small_table{13, 7, 0}, skipping{13, 7, 3};

struct Compressor::State {
	ZSTD_CCtx *zstd = nullptr;
	Search search = usual_search;
	// Of what was compressed before, whose like the next block is taken for: a sample of it, or the
	// block before.  The first one gets the usual search.
	std::size_t last_raw = 3, last_size = 1;
	z_stream zlib{};
	bool has_zlib = false;

	~State()
	{
		ZSTD_freeCCtx(zstd);
		if (has_zlib)
			deflateEnd(&zlib);
	}
};

Compressor::Compressor(Codec codec, int level)
	: codec_(codec), level_(level ? level : 1), state_(std::make_unique<State>())
{
	if (codec == Codec::zstd) {
		state_->zstd = ZSTD_createCCtx();
		if (!state_->zstd)
			throw std::bad_alloc();
		ZSTD_CCtx_setParameter(state_->zstd, ZSTD_c_compressionLevel, level_);
		ZSTD_CCtx_setParameter(state_->zstd, ZSTD_c_contentSizeFlag, 0);
	} else if (codec == Codec::zlib) {
		if (deflateInit(&state_->zlib, std::min(level_, 9)) != Z_OK)
			throw std::bad_alloc();
		state_->has_zlib = true;
	}
}

Compressor::~Compressor() = default;
Compressor::Compressor(Compressor &&) noexcept = default;

std::size_t Compressor::compress(Bytes raw, MutableBytes out, std::size_t limit, Effort effort)
{
	out = out.first(std::min(out.size(), limit));
	switch (codec_) {
	case Codec::zstd: return compress_zstd(raw, out, effort);
	case Codec::zlib: return compress_zlib(raw, out);
	default: return 0;
	}
}

std::size_t Compressor::compress_zstd(Bytes raw, MutableBytes out, Effort effort)
{
	State &state = *state_;
	Search search = usual_search;
	if (effort == Effort::less && level_ == 1)
		search = state.last_size * 2 > state.last_raw ? skipping
			: state.last_size * 4 < state.last_raw ? small_table : usual_search;
	if (search != state.search) {
		state.search = search;
		ZSTD_CCtx_setParameter(state.zstd, ZSTD_c_hashLog, search.hash_log);
		ZSTD_CCtx_setParameter(state.zstd, ZSTD_c_minMatch, search.min_match);
		ZSTD_CCtx_setParameter(state.zstd, ZSTD_c_targetLength, search.target_length);
		ZSTD_CCtx_setParameter(state.zstd, ZSTD_c_literalCompressionMode,
			search.target_length ? ZSTD_ps_enable : ZSTD_ps_auto);
	}
	const std::size_t size = ZSTD_compress2(state.zstd, out.data(), out.size(), raw.data(), raw.size());
	const bool has_shrunk = !ZSTD_isError(size);
	state.last_raw = raw.size();
	state.last_size = has_shrunk ? size : raw.size();
	return has_shrunk ? size : 0;
}

std::size_t Compressor::compress_zlib(Bytes raw, MutableBytes out)
{
	z_stream &stream = state_->zlib;
	deflateReset(&stream);
	stream.next_in = const_cast<Bytef *>(raw.data());
	stream.avail_in = static_cast<uInt>(raw.size());
	stream.next_out = out.data();
	stream.avail_out = static_cast<uInt>(out.size());
	return deflate(&stream, Z_FINISH) == Z_STREAM_END ? out.size() - stream.avail_out : 0;
}

struct Decompressor::State {
	ZSTD_DCtx *zstd = nullptr;
	z_stream zlib{};
	bool has_zlib = false;

	~State()
	{
		ZSTD_freeDCtx(zstd);
		if (has_zlib)
			inflateEnd(&zlib);
	}
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor &&) noexcept = default;

bool Decompressor::decompress(Codec codec, Bytes payload, MutableBytes out)
{
	if (codec == Codec::none) {
		if (payload.size() != out.size())
			return false;
		std::copy(payload.begin(), payload.end(), out.begin());
		return true;
	}
	if (codec == Codec::zstd) {
		if (!state_->zstd && !(state_->zstd = ZSTD_createDCtx()))
			throw std::bad_alloc();
		// One-shot decoding writes into out only, so a frame that claims a larger window
		// or size costs nothing; trailing frames or bytes show as another size.
		if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size())
			return false;
		return ZSTD_decompressDCtx(state_->zstd, out.data(), out.size(), payload.data(),
			       payload.size()) == out.size();
	}
	if (codec == Codec::zlib) {
		z_stream &stream = state_->zlib;
		if (!state_->has_zlib && inflateInit(&stream) != Z_OK)
			throw std::bad_alloc();
		state_->has_zlib = true;
		inflateReset(&stream);
		stream.next_in = const_cast<Bytef *>(payload.data());
		stream.avail_in = static_cast<uInt>(payload.size());
		stream.next_out = out.data();
		stream.avail_out = static_cast<uInt>(out.size());
		return inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 &&
			stream.avail_out == 0;
	}
	return false;
}

} // namespace dig
