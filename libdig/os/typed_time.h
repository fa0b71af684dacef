// Points in time as a person types them: "2026-11-01", "2026-11-01 14:30", "yesterday", "2 days ago".
//
//     now                         this second
//     today, yesterday            that day
//     3 hours ago, 3.hours.ago    so long before now; units from seconds to years
//     2026-11-01                  that day
//     2026-11-01T14:30            that minute; a blank may stand for the T
//     2026-11-01T14:30:15Z        that second; with Z in UTC, with +01:00 or +0100 in that zone
//     @1700000000                 seconds since 1970
//
// Without a zone, a time is in that of TZ.  A day and a minute are spans: "since" means their first
// second, and "until" their last one.
#ifndef DIG_TYPED_TIME_H
#define DIG_TYPED_TIME_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dig {

// Seconds since 1970, both included.
struct TypedTime {
	std::int64_t first_s, last_s;
	bool operator==(const TypedTime &) const = default;
};

// Nothing if the text is none of these forms, or names a day that no month has.  now_s is what "ago" is
// counted from.
std::optional<TypedTime> parse_typed_time(std::string_view text, std::int64_t now_s);
// The same, or a UsageError that names the forms.
TypedTime get_typed_time(std::string_view text, std::int64_t now_s);

// "2026-11-01 14:30:00 UTC", for messages of rooms that know no time zone.
std::string utc_text(std::int64_t time_s);

} // namespace dig

#endif
