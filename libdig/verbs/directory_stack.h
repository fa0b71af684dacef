// The directories that the current entry lies in, opened, while entries pass in the order of paths.
//
// Only the directories on the way to the current entry are remembered.  Of a deep path only some stay
// open: those next to the current one, and above them ever fewer.  To come back to a directory k
// levels up costs at most k calls, so that a walk costs as many calls as there are directories,
// however deep they lie.
//
// Every directory is opened beneath its parent and never through a symlink.
#ifndef DIG_DIRECTORY_STACK_H
#define DIG_DIRECTORY_STACK_H

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "libdig/base/error.h"
#include "libdig/os/file.h"

namespace dig {

struct Directory {
	Directory() = default;
	explicit Directory(File opened) : file(std::move(opened)) {} // as Clang 14 needs it for make_shared

	File file; // O_PATH
	// The last mode that files are made with here without a chmod.
	std::atomic<int> plain_mode{-1};
};
using DirectoryPointer = std::shared_ptr<Directory>;

// Whether this is the fate of one entry, or of one directory, and the next may do better.
bool is_of_one_entry(int error);

// Two names of the store are one for the file system, as with upper and lower case.
[[noreturn]] void fail_collision(std::string_view path);
[[noreturn]] void fail_in_the_way(std::string_view path);

// Paths as the store has them, without a slash at either end.
std::string_view parent_of(std::string_view path);
std::string name_of(std::string_view path);

class DirectoryStack {
public:
	// What is missing is made, or only looked at.
	enum class Missing : std::uint8_t { make, look };
	// Called while the exception is handled, so that it can be thrown again.
	using Blocked = std::function<void(const std::string &path, const SystemError &)>;

	// root is null when it is missing itself.  A directory that cannot be made or entered counts
	// as missing, and blocked is told of it.
	DirectoryStack(DirectoryPointer root, Missing missing, Blocked blocked = {});

	// The directory with this path; null when it is missing, or blocked.  Error when something else
	// stands there, or when it is the same as one before it under another name.
	DirectoryPointer enter(std::string_view path);

	// False when something in the current directory was this before, under another name.
	bool is_new(const FileStat &stat);

private:
	struct Frame {
		std::size_t path_size = 0;  // it is the beginning of path_
		DirectoryPointer directory; // null when missing, or closed
		bool is_missing = false;
		bool is_made = false; // by this walk
		std::unordered_set<std::uint64_t> identities;
	};

	std::string path_of(const Frame &frame) const { return path_.substr(0, frame.path_size); }
	std::string name_between(std::size_t above, std::size_t end) const;
	void leave(std::string_view path);
	DirectoryPointer current();
	void push(std::size_t path_size);
	bool look_up(Frame &frame, const File &parent);
	bool find_or_make(Frame &frame, const File &parent, const std::string &name);
	void close_some();

	Missing missing_;
	Blocked blocked_;
	// Of the current directory.  Each frame has a part of it, since paths of their own would be
	// gigabytes for a deep one.
	std::string path_;
	std::vector<Frame> frames_; // the first is the root, always open
};

} // namespace dig

#endif
