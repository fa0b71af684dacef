// The memory for compressing, which all workers share: compressors, and rooms for their results.
//
// A worker needs it for a part of its time only.  So there are fewer compressors than workers, and the
// rooms have a bound in bytes: who finds none waits for one that becomes free.  Nobody who has a room
// waits for more, so that nobody waits for ever.
#ifndef DIG_COMPRESSOR_POOL_H
#define DIG_COMPRESSOR_POOL_H

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "libdig/chunking/block_compressor.h"
#include "libdig/format/settings.h"
#include "libdig/os/arena.h"

namespace dig {

class CompressorPool {
public:
	// What a compressor takes once it has compressed a block of some MiB, at most: 640 KiB at zstd's
	// level 1, and 96 MiB at level 19, whose tables are that large.
	static std::size_t compressor_memory(const Settings &settings);

	// At most so many compressors, which are made when they are needed, and rooms of so many bytes
	// together.
	CompressorPool(const Settings &settings, std::size_t most_compressors, std::size_t room);

	Codec codec() const { return codec_; }
	// The memory that was in use at most so far.  Any thread.
	std::size_t memory() const { return used_memory_; }

	// A compressor for one thread, until the lease ends.  Waits for one.
	class CompressorLease {
	public:
		explicit CompressorLease(CompressorPool &pool);
		~CompressorLease();
		CompressorLease(const CompressorLease &) = delete;
		BlockCompressor *operator->() const { return compressor_.get(); }

	private:
		CompressorPool &pool_;
		std::unique_ptr<BlockCompressor> compressor_;
	};

	// size bytes, at most max_chunk_size.  Waits for them; a room that is larger than all rooms may be
	// together is given out alone.
	class RoomLease {
	public:
		RoomLease(CompressorPool &pool, std::size_t size);
		~RoomLease();
		RoomLease(const RoomLease &) = delete;
		MutableBytes bytes() const { return {pool_.memory_.data() + begin_, size_}; }

	private:
		CompressorPool &pool_;
		std::size_t begin_, size_;
	};

private:
	struct Extent {
		std::size_t begin, end;
	};
	std::unique_ptr<BlockCompressor> make();
	void count_memory();
	// Where a room of this size fits between the others; no place, no value.
	std::optional<std::size_t> find_gap(std::size_t size) const;

	const Settings settings_;
	const std::size_t most_compressors_, room_;
	Codec codec_;
	Arena memory_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<std::unique_ptr<BlockCompressor>> free_compressors_;
	std::size_t made_ = 0;
	std::vector<Extent> taken_; // by their begin
	const std::size_t compressor_memory_;
	std::size_t most_rooms_ = 0, room_end_ = 0; // in use at the same time, so far
	std::atomic<std::size_t> used_memory_{0};
};

} // namespace dig

#endif
