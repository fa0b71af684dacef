// Directories by descriptor, so that a walk depends neither on the length of a path nor on what
// others rename meanwhile.
#ifndef DIG_DIRECTORY_H
#define DIG_DIRECTORY_H

#include <optional>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

// The names in a directory, some 20 bytes each: a million fit.
class DirectoryList {
public:
	std::size_t size() const { return offsets_.size(); }
	std::string_view name(std::size_t i) const { return &heap_[offsets_[i] + 1]; }
	// Nothing where the file system does not say; then stat tells.
	std::optional<FileType> type(std::size_t i) const;
	// By memcmp, a directory as if its name ended with '/': the order of whole paths.  Those
	// without a type count as no directory until set_type() says otherwise.
	void sort();
	void set_type(std::size_t i, FileType type);

	// What a sorted item has in the order of items: its name, a directory's with '/' behind it.
	std::string key(std::size_t i) const;

private:
	friend DirectoryList read_directory(const File &directory);
	friend class PartReader;
	void add(char type, std::string_view name);
	std::string heap_; // type, name, NUL
	std::vector<std::uint32_t> offsets_;
};

// All names but "." and "..", in no order.
DirectoryList read_directory(const File &directory);

bool is_empty_directory(const File &directory);

// Of a directory with any number of names, those that come next, sorted.
struct DirectoryPart {
	DirectoryList items; // each with its type, if it was still there
	bool has_more = false;
};
// The first names with a key above `after`.  most is a number of bytes, of which a name costs itself
// and 24, a directory's 400 more, as who walks it has to remember it.  Each call reads all of the
// directory.
DirectoryPart read_directory_part(const File &directory, std::string_view after, std::size_t most);

// Opens a directory without following a symlink in its last component.
File open_directory_at(int parent, const std::string &name);
File open_directory(const std::string &path);

// The names in the directory at path, for small directories of the store.
std::vector<std::string> names_in(const std::string &path);

} // namespace dig

#endif
