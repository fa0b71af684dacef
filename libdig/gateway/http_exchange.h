// A request of HTTP and the answer to it, without a connection.
#ifndef DIG_HTTP_EXCHANGE_H
#define DIG_HTTP_EXCHANGE_H

#include <utility>
#include <vector>

#include "libdig/format/entry.h"
#include "libdig/gateway/http_conditions.h"

namespace dig {

namespace http_status {
constexpr int ok = 200, partial = 206;
constexpr int moved = 307, not_modified = 304;
constexpr int bad_request = 400, not_found = 404, bad_method = 405, gone = 410, failed_condition = 412,
	bad_range = 416, misdirected = 421;
constexpr int damaged = 500, unavailable = 503;
} // namespace http_status

// As it came from somebody whom nobody trusts.  Fields that are not there are empty.
struct HttpRequest {
	std::string_view method, target, accept;
	std::optional<std::string_view> host;
	Conditions conditions;
};

struct HttpAnswer {
	int status = http_status::ok;
	std::vector<std::pair<const char *, std::string>> fields;
	// The body is this text, or the extent of an entry's content.
	std::string text;
	std::optional<Entry> entry;
	ByteRange::Extent extent;

	void set(const char *name, std::string value) { fields.emplace_back(name, std::move(value)); }
	std::uint64_t size() const { return entry ? extent.size : text.size(); }
};

// A text for whoever gets the status.
HttpAnswer plain_answer(int status, const std::string &text);

} // namespace dig

#endif
