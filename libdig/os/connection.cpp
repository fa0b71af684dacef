#include "libdig/os/connection.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>

#include "libdig/os/process.h"

namespace dig {

void cut_connection(int fd) { ::shutdown(fd, SHUT_RDWR); }

void widen_pipe(int fd, int size) { static_cast<void>(::fcntl(fd, F_SETPIPE_SZ, size)); }

void write_pieces(int fd, std::span<iovec> pieces)
{
	constexpr std::size_t most_pieces = 1024; // of one call (IOV_MAX)
	for (;;) {
		while (!pieces.empty() && pieces[0].iov_len == 0)
			pieces = pieces.subspan(1);
		if (pieces.empty())
			return;
		const ssize_t n = ::writev(fd, pieces.data(), static_cast<int>(std::min(pieces.size(), most_pieces)));
		if (n < 0 && errno == EINTR) {
			check_interrupted();
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			wait_until_writable(fd);
			continue;
		}
		if (n < 0)
			throw SystemError("write", fd == 1 ? "standard output" : "", errno);
		for (auto left = static_cast<std::size_t>(n); left > 0;) {
			const std::size_t done = std::min(left, pieces[0].iov_len);
			pieces[0].iov_base = static_cast<char *>(pieces[0].iov_base) + done;
			pieces[0].iov_len -= done;
			left -= done;
			if (pieces[0].iov_len == 0)
				pieces = pieces.subspan(1);
		}
	}
}

} // namespace dig
