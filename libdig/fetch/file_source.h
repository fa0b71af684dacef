// file:// and ssh://, which need no library: a file of this machine, and one that ssh(1) reads on another
// machine.  Both throw FetchError and ObjectChanged (response_head.h).
#ifndef DIG_FILE_SOURCE_H
#define DIG_FILE_SOURCE_H

#include "libdig/fetch/fetch_sink.h"
#include "libdig/fetch/url.h"
#include "libdig/os/process.h"

namespace dig {

// The file must not change meanwhile, as far as stat tells; a change is an ObjectChanged, at the end at the
// latest.
void fetch_file(const Url &url, const FetchRequest &request, FetchSink &sink);

// Runs ssh, which has the user's configuration, keys and known hosts, and asks for nothing.
void fetch_by_ssh(const Url &url, const FetchRequest &request, FetchSink &sink);
// What it runs, and what the shell over there gets: the path in it is one word, whatever its bytes.
Command ssh_command(const Url &url, std::uint64_t offset);

} // namespace dig

#endif
