#include "libdig/directory.h"

#include <algorithm>
#include <cerrno>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libdig/error.h"

namespace dig {

static char letter_of(unsigned char type)
{
	switch (type) {
	case DT_REG: return 'f';
	case DT_DIR: return 'd';
	case DT_LNK: return 'l';
	case DT_FIFO: return 'p';
	case DT_SOCK: return 's';
	case DT_CHR:
	case DT_BLK: return 'c';
	default: return '?';
	}
}

std::optional<FileType> DirectoryList::type(std::size_t i) const
{
	switch (heap_[offsets_[i]]) {
	case 'f': return FileType::regular;
	case 'd': return FileType::directory;
	case 'l': return FileType::symlink;
	case 'p': return FileType::fifo;
	case 's': return FileType::socket;
	case 'b': return FileType::block_device;
	case 'c': return FileType::device;
	default: return {};
	}
}

void DirectoryList::set_type(std::size_t i, FileType type)
{
	char &letter = heap_[offsets_[i]];
	switch (type) {
	case FileType::regular: letter = 'f'; break;
	case FileType::directory: letter = 'd'; break;
	case FileType::symlink: letter = 'l'; break;
	case FileType::fifo: letter = 'p'; break;
	case FileType::socket: letter = 's'; break;
	case FileType::block_device: letter = 'b'; break;
	default: letter = 'c'; break;
	}
}

void DirectoryList::sort()
{
	std::sort(offsets_.begin(), offsets_.end(), [&](std::uint32_t a, std::uint32_t b) {
		const char *x = &heap_[a] + 1, *y = &heap_[b] + 1;
		while (*x && *x == *y)
			x++, y++;
		const auto last = [](char c, char type) {
			return static_cast<unsigned char>(c ? c : type == 'd' ? '/' : 0);
		};
		return last(*x, heap_[a]) < last(*y, heap_[b]);
	});
}

// What getdents64(2) writes; glibc declares it only under another name.
struct RawItem {
	std::uint64_t inode;
	std::int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

DirectoryList read_directory(const File &directory)
{
	DirectoryList list;
	alignas(RawItem) char buffer[32 << 10];
	for (;;) {
		const long n = ::syscall(SYS_getdents64, directory.fd(), buffer, sizeof buffer);
		if (n < 0)
			throw SystemError("read the directory", directory.name(), errno);
		if (n == 0)
			return list;
		for (long at = 0; at < n;) {
			const RawItem *raw = reinterpret_cast<const RawItem *>(buffer + at);
			at += raw->size;
			const std::string_view name = raw->name;
			if (name != "." && name != "..") {
				list.offsets_.push_back(static_cast<std::uint32_t>(list.heap_.size()));
				list.heap_ += letter_of(raw->type);
				list.heap_ += name;
				list.heap_ += '\0';
			}
		}
	}
}

bool is_empty_directory(const File &directory)
{
	alignas(RawItem) char buffer[1024];
	for (;;) {
		const long n = ::syscall(SYS_getdents64, directory.fd(), buffer, sizeof buffer);
		if (n < 0)
			throw SystemError("read the directory", directory.name(), errno);
		if (n == 0)
			return true;
		for (long at = 0; at < n;) {
			const RawItem *raw = reinterpret_cast<const RawItem *>(buffer + at);
			at += raw->size;
			const std::string_view name = raw->name;
			if (name != "." && name != "..")
				return false;
		}
	}
}

File open_directory_at(int parent, const std::string &name)
{
	return File::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
}

File open_directory(const std::string &path)
{
	return File::open_with(path, O_RDONLY | O_DIRECTORY);
}

std::vector<std::string> names_in(const std::string &path)
{
	std::vector<std::string> names;
	const DirectoryList list = read_directory(open_directory(path));
	for (std::size_t i = 0; i < list.size(); i++)
		names.emplace_back(list.name(i));
	return names;
}

} // namespace dig
