// A symbolic link in the place of a .digignore is not followed, as in git: a work tree that
// somebody else made could otherwise have any file read as rules.  A FIFO is opened without waiting
// and passed over.  A file that cannot be read is an error for a walk, since it would add what its
// owner wanted left out; only a question about one path (is_ignored) goes on without it.
#include "libdig/worktree/ignore_files.h"

#include <cerrno>

#include "libdig/base/error.h"
#include "libdig/os/directory.h"

namespace dig {

std::optional<Buffer> read_ignore_file(const File &directory, std::string_view path)
{
	const std::string name = (path.empty() ? "" : std::string(path) + "/") + std::string(ignore_file_name);
	File file;
	try {
		// Of any type; open_at() would take a FIFO for an error.
		file = open_beneath(directory, std::string(ignore_file_name), O_RDONLY | O_NONBLOCK | O_NOCTTY);
	} catch (const SystemError &error) {
		if (error.error() == ENOENT || error.error() == ELOOP)
			return {};
		throw SystemError("read", name, error.error());
	}
	const FileStat stat = file.stat();
	if (stat.type != FileType::regular)
		return {};
	if (stat.size > max_ignore_bytes)
		throw Error(quote(name) + " is larger than 2 MiB");
	Buffer content(stat.size);
	content.resize(file.read_at(content, 0));
	return content;
}

static File open_directory_beneath(const File &root, const std::string &path)
{
	return path.empty() ? open_directory_at(root.fd(), ".") : open_beneath(root, path, O_RDONLY | O_DIRECTORY);
}

bool is_ignored(const File &root, const std::string &path, bool is_directory)
{
	IgnoreLookup lookup([&](const std::string &directory) -> std::optional<Buffer> {
		try {
			return read_ignore_file(open_directory_beneath(root, directory), directory);
		} catch (const SystemError &) {
			return {};
		}
	});
	const auto match = lookup.match(path, is_directory);
	return match && !match->is_negated;
}

IgnoreStack ignore_files_above(const File &root, const std::string &path)
{
	IgnoreStack stack;
	for (std::size_t end = 0; end != path.npos; end = path.find('/', end + 1)) {
		const std::string above = path.substr(0, end);
		const std::optional<Buffer> content = read_ignore_file(open_directory_beneath(root, above), above);
		stack.push(above, content ? std::optional<Bytes>(*content) : std::nullopt);
	}
	return stack;
}

} // namespace dig
