// Locks of the kernel (flock) on files that are never deleted.  A lock ends with the process that
// holds it, so that no lock is ever left behind.  Readers of a store take none.
#ifndef DIG_LOCK_H
#define DIG_LOCK_H

#include "libdig/os/file.h"

namespace dig {

class Lock {
public:
	enum class Mode { shared, exclusive };

	// Waits up to timeout_ms, then throws a LockedError that names the file.  A process that
	// the holder has started with pass_on() in its environment holds the lock as well.
	static Lock acquire(const std::string &path, int timeout_ms = 60000,
		Mode mode = Mode::exclusive);
	// Nothing if somebody else holds it.
	static std::optional<Lock> try_acquire(const std::string &path, Mode mode = Mode::exclusive);

	// Lets child processes inherit the lock: clears close-on-exec and returns the value for
	// DIG_LOCK_FD.
	std::string pass_on() const;
	void release() { file_ = File(); }

private:
	explicit Lock(File file) : file_(std::move(file)) {}
	File file_;
};

// A lock file that is kept open, for locking often and briefly.  The caller takes care that no two
// threads use one object at the same time.
class LockFile {
public:
	explicit LockFile(const std::string &path);

	class Guard {
	public:
		explicit Guard(const LockFile &file, int timeout_ms = 60000);
		~Guard();
		Guard(const Guard &) = delete;
		Guard &operator=(const Guard &) = delete;

	private:
		const LockFile &file_;
	};

private:
	File file_;
};

// Marks the file as in use until it is closed.  Any number of processes may mark it.
void mark_in_use(const File &file);
// True if nobody else marks it.  Keeps no lock.
bool is_unused(const File &file);

} // namespace dig

#endif
