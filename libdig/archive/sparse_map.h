// Where the data of a file with holes lies: pieces in order, however many, in bounded memory.
#ifndef DIG_SPARSE_MAP_H
#define DIG_SPARSE_MAP_H

#include <string>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

class SparseMap {
public:
	struct Piece {
		std::uint64_t offset = 0, size = 0;
		std::uint64_t end() const { return offset + size; }
	};

	// Pieces that are too many go to a file without a name in the directory.
	explicit SparseMap(std::string directory) : directory_(std::move(directory)) {}

	void clear();
	// Behind all that were put before, and of one byte at least.  Pieces that touch become one.
	void put(const Piece &piece);
	// The next one from the first on, until there is none left.  Nothing is put afterwards.
	std::optional<Piece> next();

private:
	void write_out();

	std::string directory_;
	std::vector<Piece> pieces_; // those put last, then those read last
	std::size_t at_ = 0;        // in pieces_
	std::uint64_t written_ = 0, read_ = 0; // pieces in the file
	bool is_reading_ = false;
	File file_;
};

} // namespace dig

#endif
