// Content comes out in order, so pieces are given back nearly in the order in which they were
// taken, and a ring wastes little.  With a heap, pieces of many sizes from several threads would
// leave gaps, and the memory of the process would grow beyond the sum of what is in use.
#include "libdig/os/read_memory.h"

#include <algorithm>
#include <new>

namespace dig {

ReadMemory::ReadMemory(std::size_t limit) : arena_(std::max(limit, largest_piece)), limit_(limit) {}

ReadMemory::Lease &ReadMemory::Lease::operator=(Lease &&other) noexcept
{
	std::swap(memory_, other.memory_);
	std::swap(bytes_, other.bytes_);
	return *this;
}

void ReadMemory::Lease::give_back() noexcept
{
	if (!memory_)
		return;
	ReadMemory &memory = *std::exchange(memory_, nullptr);
	const std::size_t offset = static_cast<std::size_t>(bytes_.data() - memory.arena_.data());
	{
		std::lock_guard guard(memory.mutex_);
		for (Piece &piece : memory.pieces_)
			if (piece.offset == offset)
				piece.is_free = true;
		while (!memory.pieces_.empty() && memory.pieces_.front().is_free)
			memory.pieces_.pop_front();
	}
	memory.changed_.notify_all();
}

// Pieces lie one behind another, from the oldest to the newest, and once around the end.
std::optional<std::size_t> ReadMemory::find_room(std::size_t size) const
{
	if (pieces_.empty())
		return 0;
	const std::size_t oldest = pieces_.front().offset;
	const std::size_t end = pieces_.back().offset + pieces_.back().size;
	// After the turn at the end of the ring: [ ... newest | free | oldest ... ].
	if (pieces_.back().offset < oldest)
		return size <= oldest - end ? std::optional(end) : std::nullopt;
	// While nobody has had to wait, the ring is as small as it can be: what was used just before is
	// still in the caches of the CPU.
	if (!has_waited_ && size <= oldest / 2)
		return 0;
	if (end < limit_ && size <= limit_ - end)
		return end;
	return size <= oldest ? std::optional<std::size_t>(0) : std::nullopt;
}

ReadMemory::Lease ReadMemory::take(std::size_t size)
{
	// No two pieces may begin at the same place.
	size = aligned(std::max<std::size_t>(size, 1));
	if (size > largest_piece)
		throw std::bad_alloc();
	std::unique_lock lock(mutex_);
	std::optional<std::size_t> offset;
	while (!is_stopped_ && !(offset = find_room(size))) {
		has_waited_ = true;
		changed_.wait(lock);
	}
	if (is_stopped_)
		throw Stopped();
	pieces_.push_back({*offset, size});
	return Lease(*this, arena_.bytes().subspan(*offset, size));
}

void ReadMemory::stop()
{
	{
		std::lock_guard guard(mutex_);
		is_stopped_ = true;
	}
	changed_.notify_all();
}

} // namespace dig
