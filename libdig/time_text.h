// Points in time for people, in UTC.
#ifndef DIG_TIME_TEXT_H
#define DIG_TIME_TEXT_H

#include <cstdint>
#include <string>

namespace dig {

// "2023-11-14 22:13:20 UTC"; seconds since 1970, any of them.
std::string time_text(std::int64_t seconds);

} // namespace dig

#endif
