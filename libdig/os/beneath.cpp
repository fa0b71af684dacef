// A path that comes from a store or from a list is not trusted: "a/b" must not lead out of the work
// tree because somebody has made "a" a symbolic link to "/etc", even in the moment between a check
// and the opening.  So there is no check.  Each directory is opened by its descriptor and without
// following links, and the next component is opened relative to that descriptor.
//
// openat2(2) does this in one call (RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, since Linux 5.6).
// Three cases need the same walk in steps of openat(2): an older kernel (ENOSYS), a sandbox that
// forbids the call (EPERM, which may also be a real answer, so that it is asked again for the next
// path), and paths longer than PATH_MAX, which no single call takes.
#include "libdig/os/beneath.h"

#include <atomic>
#include <cerrno>
#include <climits>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/os/clock.h"

namespace dig {

static std::atomic<bool> has_openat2{true};

static int openat2_once(int directory, const char *path, int flags, mode_t mode)
{
	open_how how{};
	how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
	how.mode = flags & O_CREAT ? mode : 0;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	for (;;) {
		const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			return static_cast<int>(fd);
	}
}

static bool is_allowed_component(std::string_view component)
{
	return !component.empty() && component != "." && component != "..";
}

// Component by component, for long paths and for kernels without openat2.
static File walk(const File &directory, const std::string &path, int flags, mode_t mode)
{
	File at;
	for (std::size_t start = 0;;) {
		const std::size_t end = std::min(path.find('/', start), path.size());
		const std::string component = path.substr(start, end - start);
		if (!is_allowed_component(component))
			throw SystemError("open", path, EINVAL);
		const int parent = at.is_open() ? at.fd() : directory.fd();
		const bool is_last = end == path.size();
		const int how = is_last ? flags : O_PATH | O_DIRECTORY;
		int fd;
		do
			fd = ::openat(parent, component.c_str(), how | O_NOFOLLOW | O_CLOEXEC, mode);
		while (fd < 0 && errno == EINTR);
		if (fd < 0)
			throw SystemError(flags & O_CREAT ? "create" : "open", path, errno);
		at = File(fd, path);
		if (is_last)
			return at;
		start = end + 1;
	}
}

File open_beneath(const File &directory, const std::string &path, int flags, mode_t mode)
{
	if (has_openat2 && path.size() < PATH_MAX - 1) {
		const int fd = openat2_once(directory.fd(), path.c_str(), flags | O_NOFOLLOW, mode);
		if (fd >= 0)
			return File(fd, path);
		if (errno != ENOSYS && errno != EPERM)
			throw SystemError(flags & O_CREAT ? "create" : "open", path, errno);
		if (errno == ENOSYS)
			has_openat2 = false;
	}
	return walk(directory, path, flags, mode);
}

static File duplicate(const File &directory)
{
	const int fd = ::fcntl(directory.fd(), F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		throw SystemError("open", directory.name(), errno);
	return File(fd, directory.name());
}

Parent open_parent_beneath(const File &directory, const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	if (slash == path.npos)
		return {duplicate(directory), path};
	return {open_beneath(directory, path.substr(0, slash), O_PATH | O_DIRECTORY), path.substr(slash + 1)};
}

std::optional<FileStat> find_stat_beneath(const File &directory, const std::string &path)
{
	try {
		const Parent parent = open_parent_beneath(directory, path);
		return find_stat_at(parent.directory.fd(), parent.name);
	} catch (const SystemError &error) {
		if (error.error() == ENOENT || error.error() == ENOTDIR || error.error() == ELOOP)
			return {};
		throw;
	}
}

std::string read_link_beneath(const File &directory, const std::string &path)
{
	const Parent parent = open_parent_beneath(directory, path);
	try {
		return read_link_at(parent.directory.fd(), parent.name);
	} catch (const SystemError &error) {
		throw SystemError("read the link", path, error.error());
	}
}

bool may_change(const File &directory)
{
	return ::faccessat(directory.fd(), ".", W_OK | X_OK, AT_EACCESS) == 0;
}

bool make_directory_at(const File &parent, const std::string &name)
{
	if (::mkdirat(parent.fd(), name.c_str(), 0777) == 0)
		return true;
	if (errno != EEXIST)
		throw SystemError("create the directory", name, errno);
	return false;
}

void make_symlink_at(const File &parent, const std::string &name, const std::string &text)
{
	if (::symlinkat(text.c_str(), parent.fd(), name.c_str()) < 0)
		throw SystemError("create the symlink", name, errno);
}

void remove_at(const File &parent, const std::string &name, bool is_directory)
{
	if (::unlinkat(parent.fd(), name.c_str(), is_directory ? AT_REMOVEDIR : 0) < 0)
		throw SystemError("remove", name, errno);
}

void remove_empty_parents(const File &top, const std::string &path, std::string_view kept)
{
	try {
		for (std::size_t slash = path.rfind('/'); slash != path.npos && slash > 0;
			slash = path.rfind('/', slash - 1)) {
			const std::string directory = path.substr(0, slash);
			if (is_within(kept, directory))
				return;
			const Parent parent = open_parent_beneath(top, directory);
			remove_at(parent.directory, parent.name, true);
		}
	} catch (const SystemError &) {
		// It is not empty, or somebody else's.
	}
}

void rename_at(const File &parent, const std::string &from, const std::string &to)
{
	if (::renameat(parent.fd(), from.c_str(), parent.fd(), to.c_str()) < 0)
		throw SystemError("rename " + quote(from) + " to", to, errno);
}

bool set_link_times_at(const File &parent, const std::string &name, std::int64_t mtime_ns)
{
	const timespec times[2] = {{0, UTIME_OMIT}, timespec_of(mtime_ns)};
	if (::utimensat(parent.fd(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
		throw SystemError("set the time of", name, errno);
	const std::optional<FileStat> now = find_stat_at(parent.fd(), name);
	return !now || is_time_kept(mtime_ns, now->mtime_ns);
}

} // namespace dig
