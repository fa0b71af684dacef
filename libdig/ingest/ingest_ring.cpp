#include "libdig/ingest/ingest_ring.h"

#include <algorithm>
#include <cassert>

namespace dig {

// The memory begins on a page, so that an offset in it has the phase of its address.
IngestRing::IngestRing(std::size_t headroom, std::size_t capacity)
	: headroom_(whole_units(headroom)), capacity_(whole_units(capacity)), memory_(headroom_ + capacity_ + unit)
{
}

std::optional<IngestRing::Room> IngestRing::reserve(std::size_t size, std::size_t limit,
	std::optional<std::size_t> phase)
{
	if (is_empty())
		lap_before_ = lap_ = reserved_;
	const auto end_of_room = [&](std::size_t at) {
		return at + (phase ? (unit + *phase % unit - at % unit) % unit : 0) + size;
	};
	assert(limit <= capacity_);
	std::size_t end = end_of_room(reserved_ - lap_);
	if (freed_ < lap_) {
		// This lap follows the one before, which is not free yet.
		if (end > freed_ - lap_before_)
			return {};
	} else if (end > limit && reserved_ > lap_) {
		end = end_of_room(0);
		if (end > freed_ - lap_)
			return {};
		lap_before_ = lap_;
		lap_ = reserved_;
	}
	const bool starts_lap = reserved_ == lap_;
	reserved_ = lap_ + end;
	touched_ = std::max(touched_, end);
	const std::uint64_t begin = reserved_ - size;
	return Room{begin, reserved_, memory_.data() + headroom_ + (begin - lap_), starts_lap};
}

void IngestRing::free_to(std::uint64_t position) { freed_ = std::max(freed_, position); }

void IngestRing::give_back(std::size_t limit)
{
	if (touched_ <= limit || freed_ < lap_ || reserved_ - lap_ > limit)
		return;
	memory_.give_back(headroom_ + limit);
	touched_ = limit;
}

} // namespace dig
