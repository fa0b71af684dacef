// A part of an object that never changes, by GET with a range.  What is cut off goes on where it was.
#ifndef DIG_HTTP_RANGE_H
#define DIG_HTTP_RANGE_H

#include "libdig/network/http_client.h"
#include "libdig/remote/remote_objects.h"

namespace dig {

// Up to size bytes; nothing where the server says that there is no such object.  validator, if it is given, is what
// the answers before have told; FetchError if this one is of another version.
std::optional<RemoteObjects::Part> get_by_http(HttpClient &client, const FetchTarget &target, std::uint64_t offset,
	std::uint64_t size, std::string *validator = nullptr);
// The last size bytes, or all; one request where the server knows such ranges.
std::optional<RemoteObjects::Part> get_end_by_http(HttpClient &client, const FetchTarget &target, std::uint64_t size,
	std::string *validator);

} // namespace dig

#endif
