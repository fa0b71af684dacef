// Points in time, as dig stores and compares them.
#ifndef DIG_CLOCK_H
#define DIG_CLOCK_H

#include <cstdint>
#include <ctime>

namespace dig {

class File;

// A time is a count of nanoseconds since 1970 in 64 bits: from 1677-09-21 to 2262-04-11.  A time
// outside is stored as the nearer limit, so that each limit stands for many times.
constexpr std::int64_t first_time_ns = INT64_MIN, last_time_ns = INT64_MAX;
constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;
constexpr bool is_time_limit(std::int64_t ns) { return ns == first_time_ns || ns == last_time_ns; }

std::int64_t nanoseconds_of(const timespec &time);
timespec timespec_of(std::int64_t ns);
// Whole seconds at or before that time.
std::int64_t seconds_of(std::int64_t ns);

// Of the machine's clock, which may be set at any moment.
std::int64_t now_ns();

// Whether found_ns can be what a file system keeps of set_ns: the clock of FAT, which is the
// coarsest, goes by 2 s.
bool is_time_kept(std::int64_t set_ns, std::int64_t found_ns);

// Whether the times of files may be coarser than the kernel's tick of 1 to 10 ms; true for file
// systems that dig does not know.
bool is_on_coarse_clock(const File &file);

} // namespace dig

#endif
