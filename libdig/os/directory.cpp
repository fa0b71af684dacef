// A directory may have millions of names.  The list keeps all names in one string, each with a
// letter for its type in front and NUL behind, and the offsets of the names beside it.  That takes
// some 20 bytes for a name instead of the 60 of a std::string and a type, and sorting moves offsets
// only.
//
// getdents64(2) is called directly.  readdir(3) would return the same names one by one from a
// smaller buffer, and needs a DIR that owns the descriptor.
//
// The order is that of whole paths: a directory "a" stands where "a/" stands, behind "a-b" and
// "a.b".  A walk that goes down into each directory when it comes to it then gives all paths in the
// order of the index and of manifests, and the three can be merged without sorting again.
#include "libdig/os/directory.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libdig/base/error.h"

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

// An item as getdents64(2) writes it.  glibc declares it only under another name.
struct RawItem {
	std::uint64_t inode;
	std::int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

void DirectoryList::add(char type, std::string_view name)
{
	offsets_.push_back(static_cast<std::uint32_t>(heap_.size()));
	heap_ += type;
	heap_ += name;
	heap_ += '\0';
}

std::string DirectoryList::key(std::size_t i) const
{
	std::string key(name(i));
	if (heap_[offsets_[i]] == 'd')
		key += '/';
	return key;
}

// Calls found with the letter of the type and the name.
template <typename Found> static void read_names(const File &directory, Found found)
{
	alignas(RawItem) char buffer[32 << 10];
	for (;;) {
		const long n = ::syscall(SYS_getdents64, directory.fd(), buffer, sizeof buffer);
		if (n < 0)
			throw SystemError("read the directory", directory.name(), errno);
		if (n == 0)
			return;
		for (long at = 0; at < n;) {
			const RawItem *raw = reinterpret_cast<const RawItem *>(buffer + at);
			at += raw->size;
			const std::string_view name = raw->name;
			if (name != "." && name != "..")
				found(letter_of(raw->type), name);
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

DirectoryList read_directory(const File &directory)
{
	DirectoryList list;
	read_names(directory, [&](char type, std::string_view name) { list.add(type, name); });
	return list;
}

// Keeps the first names of those that come; what lies behind them is left for another reading.
class PartReader {
public:
	PartReader(const File &directory, std::string_view after, std::size_t most)
		: directory_(directory), after_(after), most_(most)
	{
	}

	DirectoryPart read()
	{
		if (::lseek(directory_.fd(), 0, SEEK_SET) < 0)
			throw SystemError("read the directory", directory_.name(), errno);
		read_names(directory_, [&](char type, std::string_view name) {
			take(type == '?' ? look_up(name) : type, name);
		});
		part_.items.sort();
		if (cost_ > most_)
			cut();
		return std::move(part_);
	}

private:
	static std::size_t cost_of(char type, std::size_t name_size) { return name_size + (type == 'd' ? 424 : 24); }

	char look_up(std::string_view name) const
	{
		DirectoryList one;
		one.add('?', name);
		try {
			if (const std::optional<FileStat> stat = find_stat_at(directory_.fd(), std::string(name)))
				one.set_type(0, stat->type);
		} catch (const SystemError &) {
			// Whoever comes to it meets it again.
		}
		return one.heap_[0];
	}

	void take(char type, std::string_view name)
	{
		if (!after_.empty() || part_.has_more) {
			key_ = name;
			if (type == 'd')
				key_ += '/';
			if (key_ <= after_ || (part_.has_more && key_ > last_))
				return;
		}
		part_.items.add(type, name);
		cost_ += cost_of(type, name.size());
		if (cost_ > most_ + most_ / 2) {
			part_.items.sort();
			cut();
		}
	}

	// To what may be kept, one name at least.
	void cut()
	{
		const DirectoryList from = std::exchange(part_.items, {});
		cost_ = 0;
		std::size_t i = 0;
		for (; i < from.size() && (i == 0 || cost_ <= most_); i++) {
			const char type = from.heap_[from.offsets_[i]];
			part_.items.add(type, from.name(i));
			cost_ += cost_of(type, from.name(i).size());
		}
		part_.has_more = part_.has_more || i < from.size();
		last_ = from.key(i - 1);
	}

	const File &directory_;
	std::string after_;
	std::size_t most_, cost_ = 0;
	std::string key_, last_; // last_ of those that are kept, once some are not
	DirectoryPart part_;
};

DirectoryPart read_directory_part(const File &directory, std::string_view after, std::size_t most)
{
	return PartReader(directory, after, most).read();
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

std::string resolved_path(const std::string &path)
{
	char *text = ::realpath(path.c_str(), nullptr);
	if (!text)
		throw SystemError("find", path, errno);
	std::string resolved = text;
	std::free(text);
	return resolved;
}

} // namespace dig
