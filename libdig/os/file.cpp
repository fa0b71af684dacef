// System calls with the three things that a caller must not forget: EINTR, short counts, and the
// name in the error.
//
// EINTR is the way by which a signal ends a call that waits.  Reading and writing pipes and opening
// a FIFO may wait for ever, so these ask check_interrupted() each time.  Calls on regular files do
// not wait for others; they just go on.
//
// The files of a store are opened with O_NONBLOCK, and must then be regular files.  If somebody
// puts a FIFO in the place of such a file, a blocking open would wait for its other end for ever,
// and a device may do anything.  O_NONBLOCK has no effect on regular files.
//
// A hole is trusted only after it was asked for twice and from both sides (next_data).  A wrong
// answer of a file system would turn content into zeros without any error.
#include "libdig/os/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <utility>

#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/base/zeros.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451 // asm/unistd.h, since 6.5; the same number everywhere
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x00000080 // linux/fs.h, since 6.14
#endif

namespace dig {

static FileType type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return FileType::regular;
	case S_IFDIR: return FileType::directory;
	case S_IFLNK: return FileType::symlink;
	case S_IFIFO: return FileType::fifo;
	case S_IFSOCK: return FileType::socket;
	case S_IFCHR: return FileType::device;
	case S_IFBLK: return FileType::block_device;
	default: return FileType::other;
	}
}

static FileStat stat_of(const struct stat &raw)
{
	FileStat stat;
	stat.type = type_of(raw.st_mode);
	stat.mode = raw.st_mode & 07777;
	stat.owner = raw.st_uid;
	stat.group = raw.st_gid;
	stat.size = static_cast<std::uint64_t>(raw.st_size);
	stat.mtime_ns = nanoseconds_of(raw.st_mtim);
	stat.ctime_ns = nanoseconds_of(raw.st_ctim);
	stat.inode = raw.st_ino;
	stat.device = raw.st_dev;
	stat.links = raw.st_nlink;
	stat.blocks = static_cast<std::uint64_t>(raw.st_blocks);
	return stat;
}

bool is_same_content(const FileStat &a, const FileStat &b)
{
	return a.type == b.type && a.size == b.size && a.mtime_ns == b.mtime_ns &&
		a.ctime_ns == b.ctime_ns && a.inode == b.inode;
}

File::File(File &&other) noexcept
	: fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)), source_(std::move(other.source_))
{
}

File &File::operator=(File &&other) noexcept
{
	if (this != &other) {
		if (fd_ >= 0)
			::close(fd_);
		fd_ = std::exchange(other.fd_, -1);
		name_ = std::move(other.name_);
		source_ = std::move(other.source_);
	}
	return *this;
}

File::~File()
{
	if (fd_ >= 0)
		::close(fd_);
}

int File::release() { return std::exchange(fd_, -1); }

void File::close()
{
	if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) < 0 && errno != EINTR)
		throw SystemError("close", name_, errno);
}

static SystemError open_error(int flags, const std::string &path, int error)
{
	return SystemError(flags & O_CREAT ? "create" : "open", path, error);
}

static int open_retrying(int directory, const char *name, int flags, mode_t mode)
{
	for (;;) {
		const int fd = ::openat(directory, name, flags | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EINTR)
			return fd;
		check_interrupted();
	}
}

// Opens without waiting for the other end of a FIFO; see require_regular().
static int open_own(int directory, const char *name, int flags, mode_t mode)
{
	return open_retrying(directory, name, flags | O_NONBLOCK | O_NOCTTY, mode);
}

static File require_regular(File file, int flags)
{
	const int never_others = O_CREAT | O_EXCL;
	if (flags & (O_DIRECTORY | O_PATH) || (flags & never_others) == never_others)
		return file;
	const FileType type = file.stat().type;
	if (type == FileType::directory)
		throw SystemError("open", file.name(), EISDIR);
	if (type != FileType::regular)
		throw Error("cannot open " + quote(file.name()) + ": it is no regular file");
	return file;
}

File File::open(const std::string &path) { return open_with(path, O_RDONLY); }

std::optional<File> File::find(const std::string &path)
{
	const int fd = open_own(AT_FDCWD, path.c_str(), O_RDONLY, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return {};
	if (fd < 0)
		throw open_error(O_RDONLY, path, errno);
	return require_regular(File(fd, path), O_RDONLY);
}

File File::open_with(const std::string &path, int flags, mode_t mode)
{
	return open_at(AT_FDCWD, path, flags, mode);
}

File File::open_at(int directory, const std::string &name, int flags, mode_t mode)
{
	const int fd = open_own(directory, name.c_str(), flags, mode);
	if (fd < 0)
		throw open_error(flags, name, errno);
	return require_regular(File(fd, name), flags);
}

File File::open_named(const std::string &path, int flags, mode_t mode)
{
	const int fd = open_retrying(AT_FDCWD, path.c_str(), flags | O_NOCTTY, mode);
	if (fd < 0)
		throw open_error(flags, path, errno);
	return File(fd, path);
}

std::optional<File> File::opened_again(int flags) const
{
	int fd = open_retrying(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd_)).c_str(), flags, 0);
	if (fd < 0 && errno == ENOENT) // no /proc
		fd = open_own(AT_FDCWD, name_.c_str(), flags, 0);
	if (fd < 0)
		return {};
	File again(fd, name_);
	const FileStat a = stat(), b = again.stat();
	if (a.inode != b.inode || a.device != b.device)
		return {};
	return again;
}

File File::standard_input() { return duplicate_of(0, "standard input"); }

File File::duplicate_of(int from, std::string name)
{
	const int fd = ::fcntl(from, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		throw SystemError("read", name, errno);
	return File(fd, std::move(name));
}

File File::temporary_in(const std::string &directory)
{
	const int fd = open_retrying(AT_FDCWD, directory.c_str(), O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0)
		return File(fd, directory);
	std::string name = directory + "/spill-XXXXXX";
	const int named = ::mkostemp(name.data(), O_CLOEXEC);
	if (named < 0)
		throw SystemError("create a temporary file in", directory, errno);
	::unlink(name.c_str());
	return File(named, name);
}

std::size_t File::read_some_at(MutableBytes buffer, std::uint64_t offset) const
{
	ssize_t n;
	do
		n = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		throw SystemError("read", name_, errno);
	return static_cast<std::size_t>(n);
}

bool File::is_cached(std::uint64_t offset, std::uint64_t size) const
{
	if (source_.is_for(offset))
		return true;
	struct {
		std::uint64_t offset, size;
	} const range{offset, size};
	struct {
		std::uint64_t cached, dirty, under_writeback, evicted, recently_evicted;
	} pages;
	if (::syscall(SYS_cachestat, fd_, &range, &pages, 0) < 0)
		return true;
	return pages.cached * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >= size / 2;
}

std::optional<File> File::past_cache() const { return opened_again(O_RDONLY | O_DIRECT); }

std::size_t File::read_at(MutableBytes buffer, std::uint64_t offset) const
{
	if (source_.is_for(offset))
		return source_.bytes->read_at(buffer, offset);
	std::size_t done = 0;
	while (done < buffer.size()) {
		const ssize_t n = ::pread(fd_, buffer.data() + done, buffer.size() - done,
			static_cast<off_t>(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			throw SystemError("read", name_, errno);
		if (n == 0)
			break;
		done += static_cast<std::size_t>(n);
	}
	return done;
}

std::size_t File::read_some(MutableBytes buffer) const
{
	for (;;) {
		const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
		if (n >= 0)
			return static_cast<std::size_t>(n);
		if (errno == EAGAIN)
			wait_until_readable(fd_);
		else if (errno != EINTR)
			throw SystemError("read", name_, errno);
		check_interrupted();
	}
}

std::size_t File::read(MutableBytes buffer) const
{
	std::size_t done = 0;
	while (done < buffer.size()) {
		const std::size_t n = read_some(buffer.subspan(done));
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

void File::read_exactly_at(MutableBytes buffer, std::uint64_t offset) const
{
	const std::size_t n = read_at(buffer, offset);
	if (n < buffer.size())
		throw CorruptError("it ends too early", name_, offset + n);
}

void File::write(Bytes bytes) const
{
	while (!bytes.empty()) {
		const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
		if (n < 0 && errno == EINTR) {
			check_interrupted();
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			wait_until_writable(fd_);
			continue;
		}
		if (n < 0)
			throw SystemError("write", name_, errno);
		bytes = bytes.subspan(static_cast<std::size_t>(n));
	}
}

void File::write_at(Bytes bytes, std::uint64_t offset) const
{
	iovec piece{const_cast<std::uint8_t *>(bytes.data()), bytes.size()};
	write_pieces_at({&piece, 1}, offset, true);
}

// Set once the kernel has refused RWF_DONTCACHE, or pwritev2 as a whole.
static std::atomic<bool> dontcache_refused = false, pwritev2_refused = false;

static ssize_t write_once_at(int fd, std::span<iovec> pieces, std::uint64_t offset, int flags)
{
	const int count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
	if (pwritev2_refused)
		return ::pwritev(fd, pieces.data(), count, static_cast<off_t>(offset));
	return ::pwritev2(fd, pieces.data(), count, static_cast<off_t>(offset), flags);
}

void File::write_pieces_at(std::span<iovec> pieces, std::uint64_t offset, bool keep_cached) const
{
	while (!pieces.empty()) {
		if (pieces[0].iov_len == 0) {
			pieces = pieces.subspan(1);
			continue;
		}
		const int flags = keep_cached || dontcache_refused ? 0 : RWF_DONTCACHE;
		const ssize_t n = write_once_at(fd_, pieces, offset, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && flags && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)) {
			dontcache_refused = true;
			continue;
		}
		if (n < 0 && !pwritev2_refused && (errno == EOPNOTSUPP || errno == ENOSYS)) {
			pwritev2_refused = true;
			continue;
		}
		if (n < 0)
			throw SystemError("write", name_, errno);
		offset += static_cast<std::uint64_t>(n);
		std::size_t left = static_cast<std::size_t>(n);
		while (!pieces.empty() && left >= pieces[0].iov_len) {
			left -= pieces[0].iov_len;
			pieces = pieces.subspan(1);
		}
		if (left) {
			pieces[0].iov_base = static_cast<char *>(pieces[0].iov_base) + left;
			pieces[0].iov_len -= left;
		}
	}
}

FileStat File::stat() const
{
	struct stat raw;
	if (::fstat(fd_, &raw) < 0)
		throw SystemError("stat", name_, errno);
	return stat_of(raw);
}

void File::truncate(std::uint64_t size) const
{
	if (::ftruncate(fd_, static_cast<off_t>(size)) < 0)
		throw SystemError("truncate", name_, errno);
}

bool File::punch_hole(std::uint64_t offset, std::uint64_t size) const
{
	return size == 0 ||
		::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
			static_cast<off_t>(size)) == 0;
}

void File::clear(std::uint64_t offset, std::uint64_t size) const
{
	if (punch_hole(offset, size))
		return;
	for (std::uint64_t done = 0; done < size; done += std::min<std::uint64_t>(most_zeros, size - done))
		write_at(zero_bytes(std::min<std::uint64_t>(most_zeros, size - done)), offset + done);
}

void File::start_writing(std::uint64_t offset, std::uint64_t size) const
{
	// A hint.  Errors show up when the file is synced.
	::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
}

void File::write_out() const
{
	// A hint, too: its callers can do without the file.
	::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

static void require_synced(int result, const char *what, const std::string &name)
{
	if (result < 0)
		throw SystemError(what, name, errno);
}

void File::sync_data() const { require_synced(::fdatasync(fd_), "sync", name_); }
void File::sync_all() const { require_synced(::fsync(fd_), "sync", name_); }
void File::sync_file_system() const { require_synced(::syncfs(fd_), "sync the file system of", name_); }

// Every file system can store seconds of 32 bits.  Of other times the kernel silently takes the
// nearest one.
static bool may_be_clamped(std::int64_t ns) { return seconds_of(ns) != static_cast<std::int32_t>(seconds_of(ns)); }

bool File::set_times(std::int64_t mtime_ns) const
{
	const timespec times[2] = {{0, UTIME_OMIT}, timespec_of(mtime_ns)};
	if (::futimens(fd_, times) < 0)
		throw SystemError("set the time of", name_, errno);
	return !may_be_clamped(mtime_ns) || is_time_kept(mtime_ns, stat().mtime_ns);
}

void File::set_mode(std::uint16_t mode) const
{
	if (::fchmod(fd_, mode) < 0)
		throw SystemError("set the mode of", name_, errno);
}

void File::keep_owner(const FileStat &replaced) const
{
	const FileStat own = stat();
	if (own.owner == replaced.owner && own.group == replaced.group)
		return;
	// A user who may not give files away can still choose among their own groups.
	if (::fchown(fd_, replaced.owner, replaced.group) < 0 && own.group != replaced.group)
		(void)(::fchown(fd_, static_cast<uid_t>(-1), replaced.group) + 1);
}

std::optional<std::uint64_t> File::device_size() const
{
	std::uint64_t size = 0;
	if (::ioctl(fd_, BLKGETSIZE64, &size) < 0)
		return {};
	return size;
}

constexpr std::uint64_t will_need_step = 128_KiB;

void File::advise_will_need(std::uint64_t offset, std::uint64_t size) const
{
	if (source_.is_for(offset))
		return source_.bytes->will_need(offset, size);
	// Of one request the kernel reads no more than it reads ahead: 128 KiB on most machines.
	for (const std::uint64_t end = offset + size; offset < end; offset += will_need_step)
		::posix_fadvise(fd_, static_cast<off_t>(offset),
			static_cast<off_t>(std::min(will_need_step, end - offset)), POSIX_FADV_WILLNEED);
}

// What SEEK_DATA says, where it makes sense.
static std::uint64_t end_of_hole(int fd, std::uint64_t offset, std::uint64_t size)
{
	const off_t data = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? size : offset;
	return std::clamp(static_cast<std::uint64_t>(data), offset, size);
}

static bool is_in_hole(int fd, std::uint64_t offset)
{
	return ::lseek(fd, static_cast<off_t>(offset), SEEK_HOLE) == static_cast<off_t>(offset);
}

std::uint64_t File::next_data(std::uint64_t offset, std::uint64_t size) const
{
	const std::uint64_t end = end_of_hole(fd_, offset, size);
	// A wrong answer would make zeros of content, so it is asked for again, and from the other
	// side.
	const bool is_hole = end > offset && is_in_hole(fd_, offset) && is_in_hole(fd_, end - 1) &&
		end_of_hole(fd_, offset, size) == end;
	return is_hole ? end : offset;
}

std::optional<FileStat> find_stat_at(int directory, const std::string &name)
{
	struct stat raw;
	if (::fstatat(directory, name.c_str(), &raw, AT_SYMLINK_NOFOLLOW) == 0)
		return stat_of(raw);
	if (errno == ENOENT || errno == ENOTDIR)
		return {};
	throw SystemError("stat", name, errno);
}

std::optional<FileStat> find_stat(const std::string &path)
{
	struct stat raw;
	if (::stat(path.c_str(), &raw) == 0)
		return stat_of(raw);
	if (errno == ENOENT || errno == ENOTDIR)
		return {};
	throw SystemError("stat", path, errno);
}

std::string read_link_at(int directory, const std::string &name)
{
	std::string text(PATH_MAX, '\0');
	const ssize_t n = ::readlinkat(directory, name.c_str(), text.data(), text.size());
	if (n < 0)
		throw SystemError("read the link", name, errno);
	text.resize(static_cast<std::size_t>(n));
	return text;
}

static Buffer read_whole(const File &file, std::size_t limit)
{
	const std::uint64_t size = file.size();
	if (size > limit)
		throw Error(quote(file.name()) + " is too large: " + std::to_string(size) +
			" bytes, at most " + std::to_string(limit) + " are allowed");
	Buffer content(static_cast<std::size_t>(size) + 1);
	content.resize(file.read_at(content, 0));
	if (content.size() > size)
		throw Error(quote(file.name()) + " grew while it was read");
	return content;
}

Buffer read_whole_file(const std::string &path, std::size_t limit)
{
	return read_whole(File::open(path), limit);
}

std::optional<Buffer> find_whole_file(const std::string &path, std::size_t limit)
{
	std::optional<File> file = File::find(path);
	if (!file)
		return {};
	return read_whole(*file, limit);
}

void write_all(int fd, Bytes bytes)
{
	File file(fd, fd == 1 ? "standard output" : fd == 2 ? "standard error" : "");
	try {
		file.write(bytes);
	} catch (...) {
		file.release();
		throw;
	}
	file.release();
}

void remove_file(const std::string &path)
{
	if (::unlink(path.c_str()) < 0)
		throw SystemError("remove", path, errno);
}

bool remove_file_if_there(const std::string &path)
{
	if (::unlink(path.c_str()) == 0)
		return true;
	if (errno == ENOENT)
		return false;
	throw SystemError("remove", path, errno);
}

void rename_file(const std::string &from, const std::string &to)
{
	if (::rename(from.c_str(), to.c_str()) < 0)
		throw SystemError("rename " + quote(from) + " to", to, errno);
}

void make_directory(const std::string &path)
{
	if (::mkdir(path.c_str(), 0777) < 0 && errno != EEXIST)
		throw SystemError("create the directory", path, errno);
}

void sync_directory(const std::string &path)
{
	File directory = File::open_with(path, O_RDONLY | O_DIRECTORY);
	// Some network file systems cannot sync a directory and say EINVAL; then there is
	// nothing more to be had.
	if (::fsync(directory.fd()) < 0 && errno != EINVAL && errno != ENOTSUP)
		throw SystemError("sync the directory", path, errno);
}

bool may_read(const std::string &path)
{
	const int fd = open_retrying(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return errno != EACCES && errno != EPERM;
	::close(fd);
	return true;
}

} // namespace dig
