#include "libdig/store/reserve.h"

#include <cerrno>

#include "libdig/os/file.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::size_t reserve_size = 256_KiB; // an update of the index, of the roots and of the layer table

bool is_out_of_room(const SystemError &error) { return error.error() == ENOSPC || error.error() == EDQUOT; }

void keep_reserve(const StorePaths &paths)
{
	if (find_stat(paths.reserve()))
		return;
	try {
		// Not all zeros: some file systems would not keep these.
		PublishedFile target(paths.reserve());
		Buffer content(reserve_size);
		for (std::size_t i = 0; i < content.size(); i++)
			content[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13);
		target.file().write(content);
		target.publish(PublishedFile::Durability::none);
	} catch (const SystemError &) {
		// Another time.
	}
}

void with_reserve(const StorePaths &paths, const std::function<void()> &action)
{
	try {
		action();
	} catch (const SystemError &error) {
		if (!is_out_of_room(error) || !remove_file_if_there(paths.reserve()))
			throw;
		action();
	}
}

} // namespace dig
