// slow-reads MS SOURCE MOUNTPOINT [OPTION...] shows a directory as a file system whose reads take MS
// milliseconds each, as those of a file system on a network do.  Only reads wait, and each waits in a
// thread of its own: as many are under way as are asked for.  What is not a read is as fast as it is.
//
// The kernel reads ahead and asks for up to 128 KiB at once, as it does of other file systems.  Contents
// and names are kept no longer than by others; a new mount has an empty cache.
//
// perf/p2950-slow-storage.sh builds it where the development files of libfuse 3 are.
#define FUSE_USE_VERSION 31
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

#include <fuse3/fuse.h>

static int source;
static timespec delay;

// Paths begin with a slash.
static const char *below(const char *path) { return path[1] ? path + 1 : "."; }

static int answer(int result) { return result < 0 ? -errno : 0; }

static void *begin(fuse_conn_info *connection, fuse_config *config)
{
	config->use_ino = 1;
	config->kernel_cache = 1;
	config->entry_timeout = config->attr_timeout = config->negative_timeout = 60;
	// Requests that the kernel makes ahead; 12 is its default.
	connection->max_background = 256;
	connection->congestion_threshold = 256;
	return nullptr;
}

static int get_attributes(const char *path, struct stat *found, fuse_file_info *file)
{
	return answer(file ? fstat(static_cast<int>(file->fh), found)
			   : fstatat(source, below(path), found, AT_SYMLINK_NOFOLLOW));
}

static int read_link(const char *path, char *text, std::size_t size)
{
	const ssize_t n = readlinkat(source, below(path), text, size - 1);
	if (n >= 0)
		text[n] = 0;
	return answer(static_cast<int>(n));
}

static int open_file(const char *path, fuse_file_info *file)
{
	const int fd = openat(source, below(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	file->fh = static_cast<std::uint64_t>(fd);
	return answer(fd);
}

static int close_file(const char *, fuse_file_info *file) { return answer(close(static_cast<int>(file->fh))); }

static int read_file(const char *, char *to, std::size_t size, off_t offset, fuse_file_info *file)
{
	clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, nullptr);
	const ssize_t n = pread(static_cast<int>(file->fh), to, size, offset);
	return n < 0 ? -errno : static_cast<int>(n);
}

static int list_directory(const char *path, void *to, fuse_fill_dir_t fill, off_t, fuse_file_info *,
	fuse_readdir_flags)
{
	const int fd = openat(source, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const directory = fd < 0 ? nullptr : fdopendir(fd);
	if (!directory)
		return -errno;
	while (const dirent *entry = readdir(directory)) {
		struct stat found = {};
		found.st_ino = entry->d_ino;
		found.st_mode = DTTOIF(entry->d_type);
		if (fill(to, entry->d_name, &found, 0, {}))
			break;
	}
	closedir(directory);
	return 0;
}

static int get_size(const char *, struct statvfs *found) { return answer(fstatvfs(source, found)); }

int main(int argc, char **argv)
{
	if (argc < 4) {
		std::fputs("usage: slow-reads MS SOURCE MOUNTPOINT [OPTION...]\n", stderr);
		return 129;
	}
	const long ms = std::strtol(argv[1], nullptr, 10);
	delay = {ms / 1000, ms % 1000 * 1000000};
	source = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0) {
		std::perror(argv[2]);
		return 1;
	}
	fuse_operations operations = {};
	operations.init = begin;
	operations.getattr = get_attributes;
	operations.readlink = read_link;
	operations.open = open_file;
	operations.read = read_file;
	operations.release = close_file;
	operations.readdir = list_directory;
	operations.statfs = get_size;
	std::vector<char *> words{argv[0], argv[3]};
	std::string options = "ro,max_threads=300,max_idle_threads=300";
	words.insert(words.end(), argv + 4, argv + argc);
	char o[] = "-o";
	words.push_back(o);
	words.push_back(options.data());
	return fuse_main(static_cast<int>(words.size()), words.data(), &operations, nullptr);
}
