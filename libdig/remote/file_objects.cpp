// An object is written under another name, made durable, and gets its name only if no other object has it.  A
// process that is killed leaves a file whose name has a mark that no key can have.
#include "libdig/remote/file_objects.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::size_t copy_window = 1_MiB;

std::optional<RemoteObjects::Part> FileObjects::get(const std::string &key, std::uint64_t offset, std::uint64_t size)
{
	const std::optional<File> file = File::find(path_of(key));
	if (!file)
		return {};
	Part part{{}, file->size()};
	part.bytes.resize(offset < part.total ? std::min(size, part.total - offset) : 0);
	file->read_exactly_at(part.bytes, offset);
	return part;
}

bool FileObjects::put_new(const std::string &key, std::uint64_t size, const Content &content)
{
	const std::string path = path_of(key);
	// What is there already need not be written first.
	if (find_stat(path))
		return false;
	make_directories(directory_of(path));
	PublishedFile target(path);
	Buffer window(copy_window);
	for (std::uint64_t at = 0; at < size;) {
		check_interrupted();
		const MutableBytes part = MutableBytes(window).first(std::min<std::uint64_t>(size - at, window.size()));
		content(part);
		target.file().write_at(part, at);
		at += part.size();
	}
	return target.publish_new();
}

void FileObjects::list(const std::string &prefix, const std::string &after, const Take &take)
{
	// Prefixes are those of directories here.
	const std::size_t slash = prefix.rfind('/');
	const std::string inside = slash == prefix.npos ? std::string() : prefix.substr(0, slash + 1);
	if (!inside.empty() && !is_object_key(inside.substr(0, inside.size() - 1)))
		throw Error(quote(prefix) + " is no beginning of keys");
	if (!find_stat(directory_ + "/" + inside))
		return;
	std::vector<std::string> names = names_in(directory_ + "/" + inside);
	std::sort(names.begin(), names.end());
	for (const std::string &name : names) {
		const std::string key = inside + name;
		// Files that are being written have a mark that no key has.
		if (!key.starts_with(prefix) || key <= after || !is_object_key(key) || name.find('.') != name.npos)
			continue;
		const std::optional<FileStat> stat = find_stat(path_of(key));
		if (stat && stat->type == FileType::regular)
			take(key, stat->size);
	}
}

bool FileObjects::remove(const std::string &key)
{
	if (!find_stat(path_of(key)))
		return false;
	remove_file_if_there(path_of(key));
	sync_directory(directory_of(path_of(key)));
	return true;
}

std::string FileObjects::check()
{
	const std::optional<FileStat> stat = find_stat(directory_);
	if (stat && stat->type != FileType::directory)
		throw Error(quote(directory_) + " is no directory");
	return "create-once ranges";
}

} // namespace dig
