// A file by its descriptor.  It closes itself, goes on after EINTR, and completes short reads and
// writes.  Whatever the operating system refuses is a SystemError that names the file.
#ifndef DIG_FILE_H
#define DIG_FILE_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/uio.h>

#include "libdig/os/byte_source.h"

namespace dig {

enum class FileType : std::uint8_t {
	regular, directory, symlink, fifo, socket, device, block_device, other
};

// The part of stat that dig uses.
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

// True if type, size, times and inode are equal, so that the content has not changed.
bool is_same_content(const FileStat &a, const FileStat &b);

class File {
public:
	File() = default;
	// Takes over an open descriptor; name is for messages.
	File(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
	File(File &&other) noexcept;
	File &operator=(File &&other) noexcept;
	~File();

	// These open the files that dig itself writes: regular files or, with O_DIRECTORY,
	// directories.  A FIFO or a device in their place is an Error, and is not waited for.
	//
	// Read-only.
	static File open(const std::string &path);
	// Nothing if there is no such file.
	static std::optional<File> find(const std::string &path);
	// flags as of open(2); O_CLOEXEC is added.
	static File open_with(const std::string &path, int flags, mode_t mode = 0666);
	static File open_at(int directory, const std::string &name, int flags, mode_t mode = 0666);
	// Opens a file of any type that a person has named.  Opening a FIFO waits for its other
	// end, or throws Interrupted.
	static File open_named(const std::string &path, int flags, mode_t mode = 0666);
	// Opens the same file again, with locks and a position of its own.  Nothing if it has no
	// name any more, or cannot be opened with these flags.
	std::optional<File> opened_again(int flags) const;
	// A duplicate of descriptor 0, which stays open.
	static File standard_input();
	// Another descriptor for the same open file.
	static File duplicate_of(int fd, std::string name);
	// A file without a name in directory, for data that does not fit into memory.  It ends with
	// the process.
	static File temporary_in(const std::string &directory);

	// Whatever is read from this offset on comes from the source.
	void read_from(std::shared_ptr<ByteSource> source, std::uint64_t offset) { source_ = {std::move(source), offset}; }
	bool has_source() const { return source_.bytes != nullptr; }
	// These bytes were read and are wrong.  False if they are in the file itself.
	bool distrust(std::uint64_t offset, std::uint64_t size) const
	{
		if (source_.is_for(offset))
			source_.bytes->distrust(offset, size);
		return source_.is_for(offset);
	}

	bool is_open() const { return fd_ >= 0; }
	int fd() const { return fd_; }
	const std::string &name() const { return name_; }
	int release();

	// Reads from offset until buffer is full or the file ends; returns the number of bytes.
	std::size_t read_at(MutableBytes buffer, std::uint64_t offset) const;
	// The same from the current position, for pipes too.
	std::size_t read(MutableBytes buffer) const;
	// One read(2), of the bytes that are there now; 0 is the end.
	std::size_t read_some(MutableBytes buffer) const;
	// One pread(2).  For past_cache(), memory and offset must be aligned as told there.
	std::size_t read_some_at(MutableBytes buffer, std::uint64_t offset) const;
	// As read_at(), but a file that ends before buffer is full is a CorruptError.
	void read_exactly_at(MutableBytes buffer, std::uint64_t offset) const;

	void write(Bytes bytes) const;
	void write_at(Bytes bytes, std::uint64_t offset) const;
	// Writes the pieces one behind the other, and changes them while doing so.  If keep_cached
	// is false, the kernel drops the pages from its cache once they are on storage
	// (RWF_DONTCACHE), if it can.
	void write_pieces_at(std::span<iovec> pieces, std::uint64_t offset, bool keep_cached) const;

	FileStat stat() const;
	std::uint64_t size() const { return stat().size; }
	void truncate(std::uint64_t size) const;
	// Gives the range back to the file system, so that it reads as zeros.  False if that is
	// impossible.
	bool punch_hole(std::uint64_t offset, std::uint64_t size) const;
	// Makes the range read as zeros: by a hole or, if there can be none, by writing zeros.
	void clear(std::uint64_t offset, std::uint64_t size) const;
	// Starts writing the range to storage, and does not wait for it.
	void start_writing(std::uint64_t offset, std::uint64_t size) const;
	// Waits until the file's bytes have been written to the device.  They are not durable then,
	// but this costs less than a sync.
	void write_out() const;
	// fdatasync.  A failure is final: the file must be given up, because a second sync would
	// report success for pages that are lost.
	void sync_data() const;
	void sync_all() const;
	// Makes everything durable that was written to the file system of this file, by anybody.
	void sync_file_system() const;
	// False if the file system cannot hold this time and took the nearest one.
	bool set_times(std::int64_t mtime_ns) const;
	void set_mode(std::uint16_t mode) const;
	// Gives the file the owner and the group of the file that it is to replace, as far as this
	// process may.  Call it before set_mode(), because it may clear mode bits.
	void keep_owner(const FileStat &replaced) const;
	// The size of a block device in bytes; nothing for other files.
	std::optional<std::uint64_t> device_size() const;
	// Whether half of the range or more is in the page cache.  True if the kernel does not
	// tell; it does since Linux 6.5 (cachestat).
	bool is_cached(std::uint64_t offset, std::uint64_t size) const;
	// The same file, opened for reading past the page cache (O_DIRECT).  Memory, offset and
	// size must be multiples of 4096 then.  Nothing if the file system does not support it.
	std::optional<File> past_cache() const;
	void advise_will_need(std::uint64_t offset, std::uint64_t size) const;
	// The first offset from this one on that is not in a hole, or the size of the file if there
	// is none.  It is offset itself if the file system has no holes, or if its answers
	// contradict each other.
	std::uint64_t next_data(std::uint64_t offset, std::uint64_t size) const;
	// Closes now, and throws where that fails.
	void close();

private:
	int fd_ = -1;
	std::string name_;
	struct Source {
		std::shared_ptr<ByteSource> bytes;
		std::uint64_t begin = 0;
		bool is_for(std::uint64_t offset) const { return bytes && offset >= begin; }
	} source_;
};

// False only if permissions forbid reading the file.
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

} // namespace dig

#endif
