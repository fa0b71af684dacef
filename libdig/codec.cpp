#include "libdig/codec.h"

#include <algorithm>
#include <new>

#include <zlib.h>
#include <zstd.h>

namespace dig {

struct Compressor::State {
	ZSTD_CCtx *zstd = nullptr;
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

std::size_t Compressor::compress(Bytes raw, MutableBytes out, std::size_t limit)
{
	const std::size_t room = std::min(out.size(), limit);
	if (codec_ == Codec::zstd) {
		const std::size_t size =
			ZSTD_compress2(state_->zstd, out.data(), room, raw.data(), raw.size());
		return ZSTD_isError(size) ? 0 : size;
	}
	if (codec_ == Codec::zlib) {
		z_stream &stream = state_->zlib;
		deflateReset(&stream);
		stream.next_in = const_cast<Bytef *>(raw.data());
		stream.avail_in = static_cast<uInt>(raw.size());
		stream.next_out = out.data();
		stream.avail_out = static_cast<uInt>(room);
		return deflate(&stream, Z_FINISH) == Z_STREAM_END ? room - stream.avail_out : 0;
	}
	return 0;
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
