// How tools reach remotes.
#ifndef DIG_REMOTE_COMMAND_H
#define DIG_REMOTE_COMMAND_H

#include "libdig/os/process.h"
#include "libdig/remote/reapply.h"
#include "libdig/remote/remote_objects.h"
#include "libdig/store/elsewhere.h"
#include "libdig/store/remotes.h"
#include "libdig/watch/metrics.h"

namespace dig {

constexpr char usual_remote[] = "origin";

// The helper for a URL: dig-remote-SCHEME of this installation, or else in PATH.
Command helper_command(const std::string &url);
// A remote by its name, or by a URL, which has a '/'; its name is empty then.
RemoteName remote_of(const StorePaths &paths, const std::string &name_or_url);

// Before the first push to a place that is not ours: check_remote(), whose verdict is kept with the name.  Error if
// it cannot be a remote of several writers.
void require_careful_remote(const StorePaths &paths, RemoteName &remote);

// For set_open_pack_ranges(): from the remotes of the store.
std::shared_ptr<PackRanges> open_packs_of_remotes(const StorePaths &paths);

// Where both have gone on from a common state, what the own states have changed is made anew over those of the
// remote, and a record on standard output says so.  newest is the last one that is to come, or 0 for all.
ReapplyResult go_on_from(const StorePaths &paths, RemoteStore &remote, std::uint64_t newest, Work &work,
	bool is_quiet);

} // namespace dig

#endif
