//     build/dig-chunk                          a build tree: tools side by side
//     PREFIX/bin/dig                           an installation, and from there
//     PREFIX/libexec/dig/dig-chunk               ../libexec/dig
//     PREFIX/share/man/man1/dig-chunk.1          ../share, or ../../share from libexec/dig
//
// No path of the build is used while one of these fits, so a prefix can be moved.  dig-hash-object
// stands for all tools.
#include "libdig/tool/installation.h"

#include <cstdlib>

#include "libdig/os/file.h"
#include "libdig/os/process.h"

namespace dig {

std::string tool_directory()
{
	const std::string own = own_directory();
	for (const std::string &path : {own, own.substr(0, own.rfind('/')) + "/libexec/dig"})
		if (find_stat(path + "/dig-hash-object"))
			return path;
	return DIG_EXEC_PATH;
}

std::string exec_path()
{
	const char *wanted = std::getenv("DIG_EXEC_PATH");
	return wanted && *wanted ? wanted : tool_directory();
}

// In the checkout, and as they were installed, seen from the directory of dig or from that of the
// tools.
std::vector<std::string> page_directories(const std::string &section)
{
	const std::string own = own_directory(), pages = "/share/man/man" + section;
	return {own + "/../Documentation", own + "/.." + pages, own + "/../.." + pages};
}

} // namespace dig
