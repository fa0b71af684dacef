// Files by descriptor: closes itself, restarts after EINTR, completes short reads and writes.
// Everything that the operating system refuses is a SystemError that names the file.
#ifndef DIG_FILE_H
#define DIG_FILE_H

#include <cstdint>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/uio.h>

#include "libdig/base/bytes.h"

namespace dig {

enum class FileType : std::uint8_t {
	regular, directory, symlink, fifo, socket, device, block_device, other
};

// What stat knows and dig uses.
struct FileStat {
	FileType type = FileType::other;
	std::uint16_t mode = 0; // permission bits, 12 of them
	std::uint32_t owner = 0, group = 0;
	std::uint64_t size = 0;
	std::int64_t mtime_ns = 0;
	std::int64_t ctime_ns = 0;
	std::uint64_t inode = 0;
	std::uint64_t device = 0;
	std::uint64_t links = 0;
	std::uint64_t blocks = 0; // of 512 bytes, really allocated
};

// True when nothing that proves "same content" differs.
bool is_same_content(const FileStat &a, const FileStat &b);

class File {
public:
	File() = default;
	// Takes over an open descriptor; name is for messages.
	File(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
	File(File &&other) noexcept;
	File &operator=(File &&other) noexcept;
	~File();

	// Regular files, and with O_DIRECTORY directories: nothing that lies in the place of a file of
	// dig's is waited for.  A FIFO or a device there is an Error.
	//
	// Read-only.
	static File open(const std::string &path);
	// Nothing when there is no such file.
	static std::optional<File> find(const std::string &path);
	// flags as of open(2); O_CLOEXEC is added.
	static File open_with(const std::string &path, int flags, mode_t mode = 0666);
	static File open_at(int directory, const std::string &name, int flags, mode_t mode = 0666);
	// What a person has named, of any type.  Opening a FIFO waits for its other end, or throws
	// Interrupted.
	static File open_named(const std::string &path, int flags, mode_t mode = 0666);
	// The same file by another open file, with locks of its own; nothing where it has no name any
	// more, or not for these flags.
	std::optional<File> opened_again(int flags) const;
	// Standard input, not closed by the destructor's owner: a duplicate of descriptor 0.
	static File standard_input();
	// A descriptor of its own for the same open file.
	static File duplicate_of(int fd, std::string name);
	// An unnamed file for spilling, gone with the process, in directory.
	static File temporary_in(const std::string &directory);

	bool is_open() const { return fd_ >= 0; }
	int fd() const { return fd_; }
	const std::string &name() const { return name_; }
	int release();

	// Fills as much of buffer as there are bytes left from offset; the result is shorter
	// than buffer only at the end of the file.
	std::size_t read_at(MutableBytes buffer, std::uint64_t offset) const;
	// The same from the current position, for pipes too.
	std::size_t read(MutableBytes buffer) const;
	// One read(2): what is there now; 0 is the end.
	std::size_t read_some(MutableBytes buffer) const;
	// One pread(2) into memory and from an offset as past_cache() wants them.
	std::size_t read_some_at(MutableBytes buffer, std::uint64_t offset) const;
	// As read_at, but anything less than all of buffer is a CorruptError.
	void read_exactly_at(MutableBytes buffer, std::uint64_t offset) const;

	void write(Bytes bytes) const;
	void write_at(Bytes bytes, std::uint64_t offset) const;
	// Gathers; the pieces are used up.  With keep_cached false the pages are dropped once they
	// are on storage (RWF_DONTCACHE), where the kernel knows how.
	void write_pieces_at(std::span<iovec> pieces, std::uint64_t offset, bool keep_cached) const;

	FileStat stat() const;
	std::uint64_t size() const { return stat().size; }
	void truncate(std::uint64_t size) const;
	// Gives the range back to the file system; it reads as zeros.  False where it cannot.
	bool punch_hole(std::uint64_t offset, std::uint64_t size) const;
	// The range reads as zeros: a hole, or where there can be none, zeros that are written.
	void clear(std::uint64_t offset, std::uint64_t size) const;
	// What was written of the range starts on its way to storage; nobody waits for it.
	void start_writing(std::uint64_t offset, std::uint64_t size) const;
	// Waits until the bytes have left the page cache, which is cheaper than that they are durable.
	void write_out() const;
	// fdatasync.  A failure is final: whoever gets it abandons the file.
	void sync_data() const;
	void sync_all() const;
	// False where the file system cannot hold such a time and took the nearest one.
	bool set_times(std::int64_t mtime_ns) const;
	void set_mode(std::uint16_t mode) const;
	// Owner and group become those of the file that this one is to replace, where the system lets
	// us.  Before set_mode(), since it may clear mode bits.
	void keep_owner(const FileStat &replaced) const;
	// Of a block device, in bytes; nothing for anything else.
	std::optional<std::uint64_t> device_size() const;
	// Whether half of the range or more is in the page cache; true where the kernel does not say
	// (cachestat, Linux 6.5).
	bool is_cached(std::uint64_t offset, std::uint64_t size) const;
	// The same file, open for reading past the page cache (O_DIRECT: memory, offset and size are
	// multiples of 4096); nothing where the file system cannot.
	std::optional<File> past_cache() const;
	void advise_will_need(std::uint64_t offset, std::uint64_t size) const;
	// The next offset at or after this one that holds data; the size of the file when there is
	// none.  It is offset where the file system has no holes, or where its answers contradict
	// each other.
	std::uint64_t next_data(std::uint64_t offset, std::uint64_t size) const;
	// Closes now, and throws where that fails.
	void close();

private:
	int fd_ = -1;
	std::string name_;
};

// False only where permissions are what is in the way of reading the file.
bool may_read(const std::string &path);
std::optional<FileStat> find_stat_at(int directory, const std::string &name);
std::optional<FileStat> find_stat(const std::string &path); // follows symlinks
std::string read_link_at(int directory, const std::string &name);

// All of a small file; Error when it is larger than limit.
Buffer read_whole_file(const std::string &path, std::size_t limit);
std::optional<Buffer> find_whole_file(const std::string &path, std::size_t limit);
void write_all(int fd, Bytes bytes);

void remove_file(const std::string &path);
// False when it was not there.
bool remove_file_if_there(const std::string &path);
void rename_file(const std::string &from, const std::string &to);
void make_directory(const std::string &path);             // fine when it is there
void sync_directory(const std::string &path);
std::string resolved_path(const std::string &path);

} // namespace dig

#endif
