#include "libdig/ingest/compressor_pool.h"

#include <algorithm>

#include "libdig/chunking/chunker.h"

namespace dig {

constexpr std::size_t idle_compressor = 128_KiB; // that has compressed samples only

// From the tables of parameters of zstd 1.5 (clevels.h): hash and chain tables of 4 bytes a slot, tags,
// and buffers for a block.
std::size_t CompressorPool::compressor_memory(const Settings &settings)
{
	if (settings.core.compression == Compression::zlib)
		return 640_KiB;
	constexpr struct {
		std::uint64_t level;
		std::size_t memory;
	} most[] = {{1, 640_KiB}, {4, 3_MiB}, {8, 8_MiB}, {11, 32_MiB}, {15, 72_MiB}};
	for (const auto &[level, memory] : most)
		if (settings.core.compression_level <= level)
			return memory;
	return 96_MiB;
}

// A room may be as large as the largest chunk.  Low addresses are given out first, so that the memory
// behind the usual rooms is never touched where no such chunk is compressed.
CompressorPool::CompressorPool(const Settings &settings, std::size_t most_compressors, std::size_t room)
	: settings_(settings), most_compressors_(std::max<std::size_t>(1, most_compressors)), room_(room),
	  compressor_memory_(compressor_memory(settings))
{
	free_compressors_.reserve(most_compressors_);
	free_compressors_.push_back(make());
	codec_ = free_compressors_.back()->codec();
	if (codec_ != Codec::none)
		memory_ = Arena(std::max<std::size_t>(room, max_chunk_size));
	taken_.reserve(most_compressors_);
}

std::unique_ptr<BlockCompressor> CompressorPool::make()
{
	made_++;
	count_memory();
	return std::make_unique<BlockCompressor>(block_compressor_of(settings_));
}

void CompressorPool::count_memory()
{
	used_memory_ = made_ * idle_compressor + most_rooms_ * (compressor_memory_ - idle_compressor) + room_end_;
}

std::optional<std::size_t> CompressorPool::find_gap(std::size_t size) const
{
	std::size_t begin = 0;
	for (const Extent &extent : taken_) {
		if (extent.begin - begin >= size)
			return begin;
		begin = extent.end;
	}
	// The first one may have all of the memory.
	if (taken_.empty() || begin + size <= room_)
		return begin;
	return {};
}

CompressorPool::CompressorLease::CompressorLease(CompressorPool &pool) : pool_(pool)
{
	std::unique_lock lock(pool.mutex_);
	pool.changed_.wait(lock, [&] { return !pool.free_compressors_.empty() || pool.made_ < pool.most_compressors_; });
	if (!pool.free_compressors_.empty()) {
		compressor_ = std::move(pool.free_compressors_.back());
		pool.free_compressors_.pop_back();
		return;
	}
	compressor_ = pool.make();
}

CompressorPool::CompressorLease::~CompressorLease()
{
	{
		std::lock_guard guard(pool_.mutex_);
		pool_.free_compressors_.push_back(std::move(compressor_));
	}
	pool_.changed_.notify_all();
}

CompressorPool::RoomLease::RoomLease(CompressorPool &pool, std::size_t size) : pool_(pool), begin_(0), size_(size)
{
	std::unique_lock lock(pool.mutex_);
	std::optional<std::size_t> gap;
	pool.changed_.wait(lock, [&] { return (gap = pool.find_gap(size)).has_value(); });
	begin_ = *gap;
	const auto behind = std::find_if(pool.taken_.begin(), pool.taken_.end(),
		[&](const Extent &extent) { return extent.begin >= begin_; });
	pool.taken_.insert(behind, {begin_, begin_ + size});
	if (pool.taken_.size() > pool.most_rooms_ || begin_ + size > pool.room_end_) {
		pool.most_rooms_ = std::max(pool.most_rooms_, pool.taken_.size());
		pool.room_end_ = std::max(pool.room_end_, begin_ + size);
		pool.count_memory();
	}
}

CompressorPool::RoomLease::~RoomLease()
{
	{
		std::lock_guard guard(pool_.mutex_);
		const auto own = std::find_if(pool_.taken_.begin(), pool_.taken_.end(),
			[&](const Extent &extent) { return extent.begin == begin_; });
		pool_.taken_.erase(own);
	}
	pool_.changed_.notify_all();
}

} // namespace dig
