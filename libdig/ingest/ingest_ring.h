// Room for what is read, until it is stored: one buffer, which is used round and round.
//
//     headroom |  free  | oldest .......... newest |    free    | capacity
//
// Rooms lie one behind the other in the order in which they were reserved, and become free in that
// order.  So two segments of a file that follow each other are contiguous in memory, and a chunk that
// spans both needs no copy.  Only at the end of a lap, when the next room begins at the start of the
// buffer again, the bytes that go in front of it are copied into the headroom.
//
// A position counts all bytes that were ever reserved.  It only grows, so that "before" is a
// comparison of two numbers whatever the lap.
//
// Not thread-safe: the mutex of ingest guards it, and the rooms themselves belong to those who reserved
// them.
#ifndef DIG_INGEST_RING_H
#define DIG_INGEST_RING_H

#include <optional>

#include "libdig/os/arena.h"

namespace dig {

class IngestRing {
public:
	static constexpr std::size_t unit = 4096; // of addresses: that of O_DIRECT
	static std::size_t whole_units(std::size_t size) { return (size + unit - 1) / unit * unit; }

	// Memory that is never reserved is never touched.
	IngestRing(std::size_t headroom, std::size_t capacity);

	struct Room {
		std::uint64_t begin = 0, end = 0; // positions
		std::uint8_t *data = nullptr;
		bool starts_lap = false; // what lies in front of it is the headroom
	};
	// A room within the first limit bytes of the buffer; limit is at most the capacity.  Its address is
	// phase, modulo unit; without a phase it is where the room before ends.  Nothing while there is no
	// such room; after free_to() there may be.  size is not 0.
	std::optional<Room> reserve(std::size_t size, std::size_t limit, std::optional<std::size_t> phase = {});
	// The newest room ends here.
	void shrink(std::uint64_t end) { reserved_ = end; }
	// What was reserved before this position is not used any more.
	void free_to(std::uint64_t position);
	// The memory behind the first limit bytes goes back to the system, unless it is in use.
	void give_back(std::size_t limit);

	bool is_empty() const { return freed_ == reserved_; }

private:
	std::size_t headroom_, capacity_;
	Arena memory_;
	// The position at the start of the buffer, in this lap and in the one before.
	std::uint64_t lap_ = 0, lap_before_ = 0;
	std::uint64_t freed_ = 0, reserved_ = 0;
	std::size_t touched_ = 0; // from the start of the buffer
};

} // namespace dig

#endif
