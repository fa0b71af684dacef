#include "libdig/tool/remote_command.h"

#include "libdig/os/file.h"
#include "libdig/tool/command.h"

namespace dig {

Command helper_command(const std::string &url)
{
	require_remote_url(url);
	const std::string scheme = scheme_of(url);
	Command command = tool_command("remote-" + scheme);
	if (!find_stat(command[0]))
		command[0] = "dig-remote-" + scheme;
	command.push_back(url);
	return command;
}

RemoteName remote_of(const StorePaths &paths, const std::string &name_or_url)
{
	if (name_or_url.find('/') == name_or_url.npos)
		return find_remote(paths, name_or_url);
	require_remote_url(name_or_url);
	return {"", name_or_url, 0};
}

} // namespace dig
