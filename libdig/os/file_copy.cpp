#include "libdig/os/file_copy.h"

#include <algorithm>
#include <cerrno>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/os/process.h"

namespace dig {

// Between two looks at whether a signal has come.
constexpr std::uint64_t piece_size = 16_MiB;
constexpr std::size_t buffer_size = 256_KiB;

bool share_content(const File &from, const File &to)
{
	// Not a file system, not this one, or not for these files: content can always be copied.
	return ::ioctl(to.fd(), FICLONE, from.fd()) == 0;
}

static std::uint64_t end_of_data(const File &file, std::uint64_t offset, std::uint64_t size)
{
	const off_t hole = ::lseek(file.fd(), static_cast<off_t>(offset), SEEK_HOLE);
	const std::uint64_t end = hole < 0 ? size : static_cast<std::uint64_t>(hole);
	return end > offset ? std::min(end, size) : size;
}

static Error ended_early(const File &from) { return Error(quote(from.name()) + " became shorter while it was copied"); }

static void copy_through_memory(const File &from, std::uint64_t offset, std::uint64_t size, const File &to,
	std::uint64_t to_offset)
{
	Buffer buffer(std::min<std::uint64_t>(size, buffer_size));
	while (size > 0) {
		const MutableBytes bytes = MutableBytes(buffer).first(std::min<std::uint64_t>(size, buffer.size()));
		if (from.read_at(bytes, offset) < bytes.size())
			throw ended_early(from);
		to.write_at(bytes, to_offset);
		offset += bytes.size();
		to_offset += bytes.size();
		size -= bytes.size();
	}
}

static void copy_data(const File &from, std::uint64_t offset, std::uint64_t size, const File &to,
	std::uint64_t to_offset)
{
	while (size > 0) {
		auto in = static_cast<off_t>(offset), out = static_cast<off_t>(to_offset);
		const ssize_t count = ::copy_file_range(from.fd(), &in, to.fd(), &out, size, 0);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			// Other file systems, kernels before 5.3, network file systems.  What is wrong with
			// the files themselves shows up again.
			copy_through_memory(from, offset, size, to, to_offset);
			return;
		}
		if (count == 0)
			throw ended_early(from);
		offset += static_cast<std::uint64_t>(count);
		to_offset += static_cast<std::uint64_t>(count);
		size -= static_cast<std::uint64_t>(count);
	}
}

void copy_range(const File &from, std::uint64_t offset, std::uint64_t size, const File &to, std::uint64_t to_offset)
{
	const std::uint64_t file_size = from.size();
	if (offset > file_size || size > file_size - offset)
		throw ended_early(from);
	while (size > 0) {
		check_interrupted();
		std::uint64_t done = std::min(from.next_data(offset, file_size) - offset, size);
		if (done > 0) {
			to.clear(to_offset, done);
		} else {
			done = std::min({end_of_data(from, offset, file_size) - offset, size, piece_size});
			copy_data(from, offset, done, to, to_offset);
		}
		offset += done;
		to_offset += done;
		size -= done;
	}
}

} // namespace dig
