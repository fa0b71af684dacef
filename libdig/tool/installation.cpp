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
