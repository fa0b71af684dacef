// What a request asks for besides a name: only if the content is, or is not, what the client has, and
// only a part of it (RFC 9110, sections 13 and 14).
#ifndef DIG_HTTP_CONDITIONS_H
#define DIG_HTTP_CONDITIONS_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/byte_range.h"

namespace dig {

// The fields as they came; empty where there is none.
struct Conditions {
	std::string_view if_match = {}, if_none_match = {}, if_modified_since = {}, if_unmodified_since = {}, if_range = {},
		range = {};
};

// What the content has.  The tag is strong, with its quotes.  The time is in seconds.
struct ContentTag {
	std::string_view etag;
	std::optional<std::int64_t> modified;
};

// Whether a list of entity tags names this one, or is "*".  A weak tag counts only in a weak
// comparison.  What is malformed matches nothing.
bool names_tag(std::string_view list, std::string_view etag, bool is_weak);

enum class Verdict { proceed, not_modified, failed };
Verdict judge(const Conditions &conditions, const ContentTag &tag);

// What the field Range asks for.
struct RangeWish {
	enum class Kind {
		whole,       // no range, one that is malformed or in other units, or If-Range says no
		part,
		unsatisfiable, // beyond the end, or several ranges
	};
	Kind kind = Kind::whole;
	ByteRange::Extent extent; // all of it, or the part
};
RangeWish wished_range(const Conditions &conditions, const ContentTag &tag, std::uint64_t size);

// "Sun, 06 Nov 1994 08:49:37 GMT"; empty before 1970 and after the year 9999.
std::string http_date(std::int64_t seconds);
// "1994-11-06T08:49:37.000000000Z"; empty if the year has not four digits.
std::string exact_time(std::int64_t ns);

} // namespace dig

#endif
