// Points in time for people, in the time zone of TZ or of the machine.
#ifndef DIG_TIME_TEXT_H
#define DIG_TIME_TEXT_H

#include <cstdint>
#include <string>

namespace dig {

// "2023-11-14 23:13:20 +0100", or "2023-11-14 22:13:20 UTC".  seconds count from 1970 and may have
// any value.
std::string time_text(std::int64_t seconds);
// All later texts are in UTC, for --utc.
void use_utc();

} // namespace dig

#endif
