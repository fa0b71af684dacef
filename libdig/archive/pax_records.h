// Extended headers of tar archives (POSIX, "pax"): records "LENGTH KEY=VALUE\n".  The length is that of
// the whole record, in decimal digits, so a value may have any bytes.
#ifndef DIG_PAX_RECORDS_H
#define DIG_PAX_RECORDS_H

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/bytes.h"

namespace dig {

using PaxRecordTaken = std::function<void(std::string_view key, std::string_view value)>;
// Calls each with every record in order.  False when the text is not made of such records, from the first
// wrong one on.
bool each_pax_record(std::string_view text, const PaxRecordTaken &each);
void append_pax_record(std::string &text, std::string_view key, std::string_view value);

// Decimal digits alone; nothing for other texts, and for numbers above the limit.
std::optional<std::uint64_t> pax_number(std::string_view text, std::uint64_t most);

// Seconds since 1970 with a fraction: nanoseconds.  What is finer is rounded down, and what an
// entry cannot hold becomes the nearest that it can.  Nothing for what is no number.
std::optional<std::int64_t> pax_time(std::string_view text);
std::string pax_time_text(std::int64_t time_ns);

} // namespace dig

#endif
