// The query of a target: "a=1&b=2".
#ifndef DIG_URL_QUERY_H
#define DIG_URL_QUERY_H

#include <optional>
#include <string>
#include <string_view>

namespace dig {

// The value of a parameter, percent-decoded; '+' stays as it is.  Nothing if it is not there or
// malformed.  The first one counts.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

} // namespace dig

#endif
