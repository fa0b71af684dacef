// Why the steps have this order:
//
// * The temporary file lies in the directory of its target, because a rename is atomic only within
//   one file system.
//
// * The content is synced before the rename.  A file system may write the new name to storage
//   before the content; after a power cut the name would then stand for an empty file, in place of
//   the old one, which is lost.
//
// * The directory is synced after the rename.  Before that, a power cut can bring the old file back,
//   so success must not be reported yet.
//
// * A failed sync is never repeated.  The kernel may have dropped the pages that it could not write,
//   and a second sync would succeed without them.  The temporary file is given up instead, and the
//   old file stays as it is.
//
// A process that is killed leaves its temporary file.  The file has the process id in its name, but
// ids are used again, so a writer never opens a temporary file that is there: it takes another
// name.  remove_abandoned() removes what is left, under the lock that all writers of these files
// hold.
#include "libdig/os/publish.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/os/directory.h"

namespace dig {

std::string directory_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

constexpr std::string_view temporary_mark = ".tmp-";
constexpr int most_temporary_names = 1000;

void remove_abandoned(const std::string &directory, std::string_view beginning)
{
	for (const std::string &name : names_in(directory)) {
		const std::size_t mark = name.rfind(temporary_mark);
		if (mark != name.npos && mark > 0 && name.starts_with(beginning) &&
			name.find_first_not_of("0123456789", mark + temporary_mark.size()) == name.npos)
			remove_file_if_there(directory + "/" + name);
	}
}

// Always a new file: one that is there may be somebody else's, who goes on to write into it.
PublishedFile::PublishedFile(std::string path) : path_(std::move(path))
{
	const std::string usual = path_ + std::string(temporary_mark) + std::to_string(::getpid());
	temporary_ = usual;
	for (int number = 0;; temporary_ = usual + std::to_string(number)) {
		try {
			file_ = File::open_with(temporary_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
			return;
		} catch (const SystemError &error) {
			if (error.error() != EEXIST || ++number == most_temporary_names)
				throw;
		}
	}
}

PublishedFile::~PublishedFile()
{
	if (!is_published_)
		::unlink(temporary_.c_str());
}

void PublishedFile::publish(Durability durability)
{
	if (durability == Durability::none)
		file_.write_out();
	else
		file_.sync_data();
	file_.close();
	rename_file(temporary_, path_);
	is_published_ = true;
	if (durability == Durability::file_and_directory)
		sync_directory(directory_of(path_));
}

bool PublishedFile::publish_new()
{
	file_.sync_data();
	file_.close();
	// Not each file system can rename in this way, and not each has links.
	if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
		if (errno == EEXIST)
			return false;
		if (errno != EINVAL && errno != ENOSYS)
			throw SystemError("create", path_, errno);
		if (::link(temporary_.c_str(), path_.c_str()) != 0) {
			if (errno == EEXIST)
				return false;
			throw SystemError("create", path_, errno);
		}
		::unlink(temporary_.c_str());
	}
	is_published_ = true;
	sync_directory(directory_of(path_));
	return true;
}

void make_directories(const std::string &path)
{
	if (find_stat(path))
		return;
	const std::string above = directory_of(path);
	if (above != path && above != ".")
		make_directories(above);
	make_directory(path);
}

void publish_file(const std::string &path, Bytes content)
{
	PublishedFile target(path);
	target.file().write(content);
	target.publish();
}

} // namespace dig
