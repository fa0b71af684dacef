// Memory that content passes through on its way out: a ring, bounded in bytes whatever the number of
// threads.
//
//     [ free | oldest | ... | given back | ... | newest | free ]
//
// Pieces are given out one behind another, and are free again in the order in which they were taken.
// A piece that is given back early waits for those before it.  Any thread may call.
#ifndef DIG_READ_MEMORY_H
#define DIG_READ_MEMORY_H

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "libdig/os/arena.h"

namespace dig {

// Chunks in it begin on cache lines.
constexpr std::size_t aligned(std::size_t size) { return (size + 63) / 64 * 64; }

class ReadMemory {
public:
	// limit bounds all pieces together.  Only a piece that is larger by itself goes beyond it, alone.
	explicit ReadMemory(std::size_t limit);

	// A unit of chunks or one large chunk, and the block that a chunk is decoded from.
	static constexpr std::size_t largest_piece = 40_MiB;

	// Gives the memory back when it is destroyed.
	class Lease {
	public:
		Lease() = default;
		Lease(ReadMemory &memory, MutableBytes bytes) : memory_(&memory), bytes_(bytes) {}
		Lease(Lease &&other) noexcept
			: memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_)
		{
		}
		Lease &operator=(Lease &&other) noexcept;
		~Lease() { give_back(); }
		MutableBytes bytes() const { return bytes_; }
		void give_back() noexcept;

	private:
		ReadMemory *memory_ = nullptr;
		MutableBytes bytes_;
	};

	// Waits until there is room.  Throws Stopped after stop().
	Lease take(std::size_t size);
	void stop();
	struct Stopped {};

private:
	struct Piece {
		std::size_t offset, size;
		bool is_free = false;
	};
	std::optional<std::size_t> find_room(std::size_t size) const;

	Arena arena_;
	std::size_t limit_;
	bool is_stopped_ = false, has_waited_ = false;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Piece> pieces_; // oldest first
};

} // namespace dig

#endif
