// A file may be cut short by another process while it is mapped.  Touching a page behind the new
// end raises SIGBUS, and by default that ends the process.  So a mapping is only ever touched by
// one function, copy_guarded(): the handler leaves it by siglongjmp(), and the read ends early.  A
// jump is safe there, because between its two ends nothing is owned and no destructor is due.
//
// The mapping is copied from and not handed on, for a second reason: what is hashed and what is
// stored must be the same bytes, and another process may change the file at any moment.
#include "libdig/os/mapped_read.h"

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "libdig/base/error.h"

namespace dig {

constexpr std::size_t window_size = 4_MiB;

// Where a fault in this thread's copy leads; null at all other times.
static thread_local sigjmp_buf *volatile way_out = nullptr;

static void leave_copy(int)
{
	if (way_out)
		siglongjmp(*way_out, 1);
	// Somebody else's fault: it happens again, and ends the process.
	std::signal(SIGBUS, SIG_DFL);
}

static void guard_once()
{
	static const bool is_guarded = [] {
		struct sigaction action {};
		action.sa_handler = leave_copy;
		action.sa_flags = SA_NODEFER;
		::sigaction(SIGBUS, &action, nullptr);
		return true;
	}();
	static_cast<void>(is_guarded);
}

// False when pages of the source are behind the end of the file, or cannot be read.
static bool copy_guarded(std::uint8_t *to, const std::uint8_t *from, std::size_t size)
{
	sigjmp_buf here;
	// The mask of signals need not be saved: SA_NODEFER leaves it as it is.
	if (sigsetjmp(here, 0)) {
		way_out = nullptr;
		return false;
	}
	way_out = &here;
	std::memcpy(to, from, size);
	way_out = nullptr;
	return true;
}

std::size_t read_mapped(const File &file, MutableBytes buffer, std::uint64_t offset)
{
	guard_once();
	const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
	std::size_t done = 0;
	while (done < buffer.size()) {
		const std::uint64_t at = offset + done, start = at / page * page, size = file.size();
		if (at >= size)
			break;
		const std::size_t lead = static_cast<std::size_t>(at - start);
		const std::size_t n = static_cast<std::size_t>(
			std::min<std::uint64_t>({buffer.size() - done, size - at, window_size - lead}));
		void *const mapping = ::mmap(nullptr, lead + n, PROT_READ, MAP_PRIVATE, file.fd(), static_cast<off_t>(start));
		if (mapping == MAP_FAILED)
			throw SystemError("map", file.name(), errno);
		::madvise(mapping, lead + n, MADV_SEQUENTIAL);
		const bool is_whole = copy_guarded(buffer.data() + done, static_cast<const std::uint8_t *>(mapping) + lead, n);
		::munmap(mapping, lead + n);
		if (!is_whole) {
			if (file.size() < at + n)
				break;
			throw SystemError("read", file.name(), EIO);
		}
		done += n;
	}
	return done;
}

} // namespace dig
