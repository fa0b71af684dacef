// Why flock(2).  A lock of fcntl(2) belongs to a process: it is lost as soon as the process closes
// any descriptor of the file, and a child does not have it.  A lock of flock belongs to the open
// file.  A child that inherits the descriptor has the lock as well, which is how dig commit runs
// two tools under one lock (DIG_LOCK_FD).  It ends with the last descriptor, however the processes
// end, so nobody has to judge whether a lock is stale.
//
// Lock files are never deleted.  Otherwise one process could hold the lock of a file that has no
// name any more, and another one that of a new file with the same name.
//
// On NFS, Linux makes a lock of fcntl out of that of flock (since 2.6.12), and an exclusive one
// needs a descriptor that can write.  So lock files are opened with O_RDWR.
#include "libdig/os/lock.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <sys/file.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"

namespace dig {

// The descriptor that the parent passed on, if it is this very file and holds its lock: what another
// process of that number left open is no lock.
static std::optional<File> inherited(const File &file)
{
	const char *text = std::getenv("DIG_LOCK_FD");
	int passed_on = -1;
	if (!text || std::from_chars(text, text + std::strlen(text), passed_on).ec != std::errc() || passed_on < 3)
		return {};
	const int fd = ::fcntl(passed_on, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return {};
	File parent(fd, file.name());
	const FileStat a = parent.stat(), b = file.stat();
	if (a.inode != b.inode || a.device != b.device)
		return {};
	// This succeeds for the open file that holds the lock, and takes it where nobody does.
	while (::flock(parent.fd(), LOCK_EX | LOCK_NB) < 0)
		if (errno != EINTR)
			return {};
	return parent;
}

std::optional<Lock> Lock::try_acquire(const std::string &path, Mode mode)
{
	File file = File::open_with(path, O_RDWR | O_CREAT);
	if (std::optional<File> parent = inherited(file))
		return Lock(std::move(*parent));
	const int operation = (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
	for (;;) {
		if (::flock(file.fd(), operation) == 0)
			return Lock(std::move(file));
		if (errno == EWOULDBLOCK)
			return {};
		if (errno != EINTR)
			throw SystemError("lock", path, errno);
	}
}

Lock Lock::acquire(const std::string &path, int timeout_ms, Mode mode)
{
	// Polling, with growing pauses up to 20 ms: flock has no timeout of its own.
	int pause_us = 200;
	for (std::int64_t end = now_ns() + timeout_ms * std::int64_t(1000000);;) {
		if (std::optional<Lock> lock = try_acquire(path, mode))
			return std::move(*lock);
		if (now_ns() >= end)
			throw LockedError(quote(path) + " is locked by another process; try again when it is done");
		pause_for(pause_us * 1000);
		pause_us = std::min(pause_us * 2, 20000);
	}
}

std::string Lock::pass_on() const
{
	::fcntl(file_.fd(), F_SETFD, 0);
	return std::to_string(file_.fd());
}

LockFile::LockFile(const std::string &path) : file_(File::open_with(path, O_RDWR | O_CREAT)) {}

LockFile::Guard::Guard(const LockFile &file, int timeout_ms) : file_(file)
{
	int pause_us = 100;
	// The clock is asked only if the first try fails; most locks are free.
	for (std::int64_t end = 0; ::flock(file.file_.fd(), LOCK_EX | LOCK_NB) < 0;) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			throw SystemError("lock", file.file_.name(), errno);
		const std::int64_t now = now_ns();
		if (end == 0)
			end = now + timeout_ms * std::int64_t(1000000);
		if (now >= end)
			throw LockedError(quote(file.file_.name()) +
				" is locked by another process; try again when it is done");
		pause_for(pause_us * 1000);
		pause_us = std::min(pause_us * 2, 10000);
	}
}

LockFile::Guard::~Guard() { ::flock(file_.file_.fd(), LOCK_UN); }

void mark_in_use(const File &file)
{
	while (::flock(file.fd(), LOCK_SH | LOCK_NB) < 0)
		if (errno != EINTR)
			throw SystemError("lock", file.name(), errno);
}

bool is_unused(const File &file)
{
	const std::optional<File> probe = file.opened_again(O_RDONLY);
	return probe && ::flock(probe->fd(), LOCK_EX | LOCK_NB) == 0;
}

} // namespace dig
