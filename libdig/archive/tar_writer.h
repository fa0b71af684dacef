// Writes a tar archive in the format pax (POSIX): as plain ustar where that can hold a member, with an
// extended header where it cannot.
//
// Extended headers have times in nanoseconds, names that are too long and sizes from 8 GiB on.  A file with
// holes is written as GNU tar's version 1.0 of sparse files.  Members have no owner, so their owner is 0.
#ifndef DIG_TAR_WRITER_H
#define DIG_TAR_WRITER_H

#include <functional>
#include <string>

#include "libdig/archive/tar_block.h"

namespace dig {

class TarWriter {
public:
	// write gets the bytes of the archive in order.
	explicit TarWriter(std::function<void(Bytes)> write) : write_(std::move(write)) {}

	struct Member {
		std::string path; // of a directory without a '/' at its end
		std::uint16_t mode = 0;
		std::int64_t mtime_ns = 0;
	};
	// size bytes follow in calls of content().
	void begin_file(const Member &member, std::uint64_t size);
	// Of real_size bytes.  A map follows and then the data, which are stored_size bytes together; the map
	// ends with the end of a block.
	void begin_sparse_file(const Member &member, std::uint64_t real_size, std::uint64_t stored_size);
	void content(Bytes bytes);
	void end_file();
	void symlink(const Member &member, const std::string &target);
	void directory(const Member &member);

	// The end of the archive, with zeros up to the end of a record of 10 KiB.
	void finish();

private:
	void put(const Member &member, char type, std::uint64_t size, const std::string &target, std::string &records);
	void put_name(TarBlock &block, const std::string &path, std::string &records) const;
	void put_extended(const std::string &records);
	void write(Bytes bytes);

	std::function<void(Bytes)> write_;
	std::uint64_t written_ = 0;
};

// The map of a sparse file, version 1.0, as text that is not padded: the number of pieces, and each of them.
std::string tar_map_number(std::uint64_t number);

} // namespace dig

#endif
