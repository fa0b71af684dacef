// Directories, by descriptor: a walk then does not depend on the length of a path, or on what
// others rename meanwhile.
#ifndef DIG_DIRECTORY_H
#define DIG_DIRECTORY_H

#include <optional>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

// The names in a directory, at some 20 bytes each, so that a million of them fit into memory.
class DirectoryList {
public:
	std::size_t size() const { return offsets_.size(); }
	std::string_view name(std::size_t i) const { return &heap_[offsets_[i] + 1]; }
	// Nothing if the file system does not tell; stat does.
	std::optional<FileType> type(std::size_t i) const;
	// Sorts by memcmp, with a '/' behind the name of a directory.  This is the order of whole
	// paths.  An item without a type counts as no directory until set_type() is called for it.
	void sort();
	void set_type(std::size_t i, FileType type);

	// The text that items are sorted by: the name, with '/' behind it for a directory.
	std::string key(std::size_t i) const;

private:
	friend DirectoryList read_directory(const File &directory);
	friend class PartReader;
	void add(char type, std::string_view name);
	std::string heap_; // type, name, NUL
	std::vector<std::uint32_t> offsets_;
};

// All names except "." and "..", not sorted.
DirectoryList read_directory(const File &directory);

bool is_empty_directory(const File &directory);

// The next names of a directory that may have any number of them, sorted.
struct DirectoryPart {
	DirectoryList items; // each with its type, unless it has vanished meanwhile
	bool has_more = false;
};
// The first names whose key is above after, in at most `most` bytes.  A name costs its size and 24
// bytes, and a directory 400 bytes more, since the walk has to remember it.  Each call reads the
// whole directory.
DirectoryPart read_directory_part(const File &directory, std::string_view after, std::size_t most);

// Opens a directory without following a symlink in its last component.
File open_directory_at(int parent, const std::string &name);
File open_directory(const std::string &path);

// Absolute, and without symbolic links.
std::string resolved_path(const std::string &path);

// The names in the directory at path, for small directories of the store.
std::vector<std::string> names_in(const std::string &path);

} // namespace dig

#endif
