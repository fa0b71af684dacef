// Kernel locks (flock) on files that are never deleted: they go with the process that holds
// them, so none is ever stale.  Readers of the store take none.
#ifndef DIG_LOCK_H
#define DIG_LOCK_H

#include "libdig/os/file.h"

namespace dig {

class Lock {
public:
	enum class Mode { shared, exclusive };

	// Waits up to timeout_ms; LockedError that names the file after that.  A process that was
	// started by the holder with pass_on()'s environment counts as holding it.
	static Lock acquire(const std::string &path, int timeout_ms = 60000,
		Mode mode = Mode::exclusive);
	// Nothing while somebody else holds it.
	static std::optional<Lock> try_acquire(const std::string &path, Mode mode = Mode::exclusive);

	// Lets child processes inherit the lock: clears close-on-exec and returns the value for
	// DIG_LOCK_FD.
	std::string pass_on() const;
	void release() { file_ = File(); }

private:
	explicit Lock(File file) : file_(std::move(file)) {}
	File file_;
};

// A lock file that is kept open, for locking often and briefly.  The same object from several
// threads at once is the caller's to prevent.
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

// Marks a file as in use by this process, shared with others, until it is closed.
void mark_in_use(const File &file);
// True when no other open file marks it.  Keeps no lock.
bool is_unused(const File &file);

} // namespace dig

#endif
