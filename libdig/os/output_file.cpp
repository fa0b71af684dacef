// As root, a rename would put a regular file in the place of /dev/null.  So what is at the end of
// all links decides.  /dev/stdout leads to /proc/self/fd/1, and that to the file that the shell has
// opened; if the shell redirects to a file, this file is to be written and not to be replaced by
// another one of its name.  Such a link is recognized by its file system.
#include "libdig/os/output_file.h"

#include <cerrno>

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "libdig/base/error.h"

namespace dig {

// More than the kernel follows.
constexpr int max_links = 40;

// In /proc, a link that stands for an open file, as /dev/stdout leads to one.
static bool is_in_proc(const std::string &path)
{
	struct statfs raw;
	return ::statfs(directory_of(path).c_str(), &raw) == 0 && raw.f_type == PROC_SUPER_MAGIC;
}

// What a name leads to, behind all symlinks that it may be.
struct Resolved {
	std::string path;
	bool is_descriptor = false; // of /proc, that only open(2) can follow
};

static Resolved resolve_links(const std::string &name)
{
	std::string path = name;
	for (int i = 0; i < max_links; i++) {
		const std::optional<FileStat> stat = find_stat_at(AT_FDCWD, path);
		if (!stat && i > 0)
			throw Error(quote(name) + " is a symlink that leads nowhere");
		if (!stat || stat->type != FileType::symlink)
			return {path};
		if (is_in_proc(path))
			return {path, true};
		const std::string text = read_link_at(AT_FDCWD, path);
		path = text.starts_with('/') ? text : directory_of(path) + "/" + text;
	}
	throw SystemError("open", name, ELOOP);
}

OutputFile::OutputFile(const std::string &name)
{
	const Resolved resolved = resolve_links(name);
	const std::optional<FileStat> stat = find_stat(resolved.path);
	if (stat && stat->type == FileType::directory)
		throw SystemError("write", name, EISDIR);
	if (!stat || (stat->type == FileType::regular && !resolved.is_descriptor)) {
		replace(resolved.path, stat);
		return;
	}
	is_device_ = stat->type == FileType::block_device;
	const int truncate = stat->type == FileType::regular ? O_TRUNC : 0;
	direct_ = File::open_named(resolved.path, O_WRONLY | O_NOCTTY | truncate);
}

void OutputFile::replace(const std::string &path, const std::optional<FileStat> &old)
{
	if (old && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) < 0)
		throw SystemError("write", path, errno);
	try {
		published_.emplace(path);
	} catch (const SystemError &error) {
		if (!old || (error.error() != EACCES && error.error() != EPERM))
			throw;
		direct_ = File::open_with(path, O_WRONLY | O_TRUNC);
		return;
	}
	if (!old)
		return;
	// Before there is anything in it that the mode hides.
	file().keep_owner(*old);
	file().set_mode(old->mode & 0777);
}

void OutputFile::finish()
{
	if (published_) {
		published_->publish();
		return;
	}
	if (is_device_)
		direct_.sync_data();
	direct_.close();
}

} // namespace dig
