// What strangers can check: the history as a log of c2sp.org/tlog-tiles, and proofs.
//
//     /checkpoint                    the one that was signed last, or that of the newest state
//     /tile/L/N[.p/W], /tile/entries/N[.p/W]
//     /STATE/PATH?proof              that the path is there
//     /STATE/PATH?proof=a-b          of these bytes
//     /STATE/PATH?proof=absent       that nothing is there
#ifndef DIG_SERVED_HISTORY_H
#define DIG_SERVED_HISTORY_H

#include <optional>
#include <string>

#include "libdig/gateway/http_exchange.h"
#include "libdig/store/store.h"

namespace dig {

// Nothing for a target that is none of the first two.
std::optional<HttpAnswer> served_history(Store &store, std::string_view target);
// What stands behind "proof=" in the query, or nothing behind it; nothing if no proof is asked for.
std::optional<std::string> wished_proof(std::string_view query);
HttpAnswer served_proof(
	Store &store, std::uint64_t generation, const std::string &path, const std::string &wish);

} // namespace dig

#endif
