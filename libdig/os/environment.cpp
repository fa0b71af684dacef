#include "libdig/os/environment.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "libdig/base/error.h"

namespace dig {

std::string temporary_directory()
{
	const char *directory = std::getenv("TMPDIR");
	return directory && directory[0] ? directory : "/tmp";
}

std::string current_directory()
{
	char *text = ::getcwd(nullptr, 0);
	if (!text)
		throw SystemError("find the current directory", "", errno);
	std::string path = text;
	std::free(text);
	return path;
}

void change_directory(const std::string &path)
{
	if (::chdir(path.c_str()) < 0)
		throw SystemError("change to the directory", path, errno);
}

std::uint32_t effective_user() { return ::geteuid(); }

std::string user_at_host()
{
	// Not getpwuid: it loads shared libraries, which a static program cannot do everywhere.
	std::string user;
	for (const char *name : {"LOGNAME", "USER"})
		if (const char *value = std::getenv(name); user.empty() && value)
			user = value;
	if (user.empty())
		user = "uid" + std::to_string(::geteuid());
	char host[HOST_NAME_MAX + 1] = "";
	if (::gethostname(host, sizeof host - 1) < 0 || !host[0])
		std::strcpy(host, "localhost");
	return user + "@" + host;
}

} // namespace dig
