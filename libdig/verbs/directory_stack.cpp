#include "libdig/verbs/directory_stack.h"

#include <algorithm>
#include <cerrno>

#include "libdig/os/beneath.h"

// A path can have 32,768 components, and a process some hundred descriptors for directories.  Which
// directories should stay open?
//
// The lowest ones alone are not enough: a state can have many files that lie 100 levels below one
// directory, which itself lies 20,000 levels deep.  Between two of these files the walk comes back to
// that directory.  If it is closed, it is opened again from the top, at 20,000 calls for 100 new
// directories.
//
// So handles lie at distances that grow with the distance.  A directory at most 2 * near levels above
// the current one is open.  From there to twice that distance every second one is open, then every
// fourth, and so on: `near` handles for each doubling, 64 for the longest path.  To open a directory k
// levels up the walk starts at the next open one above it, which is less than k levels away.  The
// levels that were left had to be entered first, so that the sum of all calls is in proportion to the
// directories entered.
//
// Going down by one level moves every directory away by one.  A directory has to be closed only when
// its distance passes a power of two times `near`: there are few of those, and close_some() looks at
// no other frame.  Going up brings directories nearer, and nothing has to be done.

namespace dig {

constexpr std::size_t near = 4;

bool is_of_one_entry(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EINVAL: // a name that the file system cannot have
	case EILSEQ:
	case ETXTBSY:
	case EFBIG: return true;
	default: return false;
	}
}

void fail_collision(std::string_view path)
{
	throw Error(quote(path) + " was made by this extraction or meanwhile: the file system takes it for "
		"another name of the state, or somebody else made it");
}

void fail_in_the_way(std::string_view path)
{
	throw Error(quote(path) + " stands in the way of a directory");
}

std::string_view parent_of(std::string_view path)
{
	const std::size_t slash = path.rfind('/');
	return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string name_of(std::string_view path)
{
	return std::string(path.substr(path.rfind('/') + 1));
}

// One file of the file system, whatever its names.
static std::uint64_t identity_of(const FileStat &stat)
{
	return stat.inode ^ stat.device * 0x9e3779b97f4a7c15;
}

// Of directories that are so far above the current one, one in so many stays open.
static std::size_t spacing(std::size_t distance)
{
	std::size_t step = 1;
	while (distance >= 2 * near * step)
		step *= 2;
	return step;
}

DirectoryStack::DirectoryStack(DirectoryPointer root, Missing missing, Blocked blocked)
	: missing_(missing), blocked_(std::move(blocked))
{
	frames_.emplace_back();
	frames_[0].is_missing = !root;
	frames_[0].directory = std::move(root);
}

DirectoryPointer DirectoryStack::enter(std::string_view path)
{
	leave(path);
	path_ = path;
	while (frames_.back().path_size < path.size()) {
		const std::size_t start = frames_.back().path_size == 0 ? 0 : frames_.back().path_size + 1;
		push(std::min(path.find('/', start), path.size()));
	}
	return current();
}

bool DirectoryStack::is_new(const FileStat &stat)
{
	return frames_.back().identities.insert(identity_of(stat)).second;
}

// Drops the directories that the path does not lie in.
void DirectoryStack::leave(std::string_view path)
{
	const std::size_t common = static_cast<std::size_t>(
		std::mismatch(path.begin(), path.end(), path_.begin(), path_.end()).first - path.begin());
	const auto is_left = [&](std::size_t size) {
		return size > common || (size > 0 && size < path.size() && path[size] != '/');
	};
	while (is_left(frames_.back().path_size))
		frames_.pop_back();
}

// Of the part of the current path that ends there, whose parent's ends above.
std::string DirectoryStack::name_between(std::size_t above, std::size_t end) const
{
	const std::size_t start = above == 0 ? 0 : above + 1;
	return path_.substr(start, end - start);
}

// Opens the current directory again if it was closed, and some of those above it.
DirectoryPointer DirectoryStack::current()
{
	if (frames_.back().is_missing)
		return nullptr;
	const std::size_t last = frames_.size() - 1;
	std::size_t number = last;
	while (!frames_[number].directory)
		number--;
	for (DirectoryPointer at = frames_[number].directory; number < last;) {
		const std::size_t above = frames_[number++].path_size;
		at = std::make_shared<Directory>(open_beneath(
			at->file, name_between(above, frames_[number].path_size), O_PATH | O_DIRECTORY));
		if (number % spacing(last - number) == 0)
			frames_[number].directory = at;
	}
	return frames_.back().directory;
}

void DirectoryStack::push(std::size_t path_size)
{
	const DirectoryPointer parent = current();
	Frame frame;
	frame.path_size = path_size;
	try {
		frame.is_missing = !parent || !look_up(frame, parent->file);
	} catch (const SystemError &error) {
		if (!is_of_one_entry(error.error()))
			throw;
		frame.is_missing = true;
		if (blocked_)
			blocked_(path_of(frame), error);
	}
	frames_.push_back(std::move(frame));
	close_some();
}

bool DirectoryStack::look_up(Frame &frame, const File &parent)
{
	const std::string name = name_between(frames_.back().path_size, frame.path_size);
	if (!find_or_make(frame, parent, name))
		return false;
	frame.directory = std::make_shared<Directory>(open_beneath(parent, name, O_PATH | O_DIRECTORY));
	if (!is_new(frame.directory->file.stat()))
		fail_collision(path_of(frame));
	return true;
}

bool DirectoryStack::find_or_make(Frame &frame, const File &parent, const std::string &name)
{
	// In a directory that this walk has made there is rarely anything to look at.
	if (frames_.back().is_made && make_directory_at(parent, name))
		return frame.is_made = true;
	const std::optional<FileStat> stat = find_stat_at(parent.fd(), name);
	if (stat && stat->type != FileType::directory)
		fail_in_the_way(path_of(frame));
	if (!stat && missing_ == Missing::look)
		return false;
	if (!stat)
		frame.is_made = make_directory_at(parent, name);
	return true;
}

void DirectoryStack::close_some()
{
	const std::size_t last = frames_.size() - 1;
	for (std::size_t step = 2, distance; (distance = near * step) < last; step *= 2)
		if ((last - distance) % step != 0)
			frames_[last - distance].directory.reset();
}

} // namespace dig
