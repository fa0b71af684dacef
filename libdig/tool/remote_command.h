// How tools reach remotes.
#ifndef DIG_REMOTE_COMMAND_H
#define DIG_REMOTE_COMMAND_H

#include "libdig/os/process.h"
#include "libdig/remote/remotes.h"

namespace dig {

constexpr char usual_remote[] = "origin";

// The helper for a URL: dig-remote-SCHEME of this installation, or else in PATH.
Command helper_command(const std::string &url);
// A remote by its name, or by a URL, which has a '/'; its name is empty then.
RemoteName remote_of(const StorePaths &paths, const std::string &name_or_url);

} // namespace dig

#endif
