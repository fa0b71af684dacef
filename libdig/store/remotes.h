// The remotes that a store knows by name: .dig/remotes/NAME.
#ifndef DIG_REMOTES_H
#define DIG_REMOTES_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "libdig/store/store_paths.h"

namespace dig {

struct RemoteName {
	std::string name;
	std::string url;
	std::uint64_t known = 0;  // the newest generation that it is known to have
	bool is_checked = false; // check_remote() found no fault
	bool is_lazy = false;    // content stays there, and comes when it is asked for
};

// Error for a name that is none: [a-z0-9_-] with a letter or digit first, up to 64.
void require_remote_name(const std::string &name);
// Error for what is no URL of a remote: a scheme and "://", or a path.  A password in it is refused, because
// other users see the arguments of processes.
void require_remote_url(const std::string &url);

// problem gets what is wrong with each file that is damaged; the others are there.
std::vector<RemoteName> remotes_of(const StorePaths &paths, const std::function<void(const std::string &)> &problem);
// Error if there is none of this name, CorruptError for a damaged file.
RemoteName find_remote(const StorePaths &paths, const std::string &name);
// Durable.
void save_remote(const StorePaths &paths, const RemoteName &remote);
bool remove_remote(const StorePaths &paths, const std::string &name);

// The newest generation that some remote is known to have, or all of them if the store has no remote.  What comes
// after it may have to be made anew behind the states of others, so that its layers stay as they are.
std::uint64_t last_settled_state(const StorePaths &paths);

// The scheme of a URL; "file" for a path.
std::string scheme_of(const std::string &url);

} // namespace dig

#endif
