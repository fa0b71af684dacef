#include "libdig/archive/sparse_map.h"

#include <algorithm>

namespace dig {

constexpr std::size_t most_in_memory = 65536; // pieces: 1 MiB

void SparseMap::clear()
{
	pieces_.clear();
	at_ = 0;
	written_ = read_ = 0;
	is_reading_ = false;
}

void SparseMap::put(const Piece &piece)
{
	if (!pieces_.empty() && pieces_.back().end() == piece.offset) {
		pieces_.back().size += piece.size;
		return;
	}
	if (pieces_.size() == most_in_memory)
		write_out();
	pieces_.push_back(piece);
}

void SparseMap::write_out()
{
	if (!file_.is_open())
		file_ = File::temporary_in(directory_);
	const std::size_t size = pieces_.size() * sizeof(Piece);
	file_.write_at({reinterpret_cast<const std::uint8_t *>(pieces_.data()), size}, written_ * sizeof(Piece));
	written_ += pieces_.size();
	pieces_.clear();
}

std::optional<SparseMap::Piece> SparseMap::next()
{
	if (!is_reading_ && written_ > 0)
		write_out();
	is_reading_ = true;
	if (at_ == pieces_.size() && read_ < written_) {
		pieces_.resize(std::min<std::uint64_t>(most_in_memory, written_ - read_));
		const std::size_t size = pieces_.size() * sizeof(Piece);
		file_.read_exactly_at({reinterpret_cast<std::uint8_t *>(pieces_.data()), size}, read_ * sizeof(Piece));
		read_ += pieces_.size();
		at_ = 0;
	}
	if (at_ == pieces_.size())
		return {};
	return pieces_[at_++];
}

} // namespace dig
