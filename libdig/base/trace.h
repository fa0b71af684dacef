// DIG_TRACE shows where the time of a command goes: regions of time, and counts.
//
//     Region region("hash");          // until the end of the scope
//     trace_count("cache misses");    // add 1, or as many as a second argument says
//
// One line adds a region or a count.  When the trace is off, which is usual, it costs one branch.
// At the end of each region a line is written:
//
//     dig-update-index[4711.2] 0.012345 +0.003210   hash
//
// These are the process and the thread, the seconds from the start of the trace to the start of the
// region, and the seconds that it took.  The name is indented by the number of regions around it.
// At the end of the process follow the sum of the regions and the count for each name.  command.h
// says where the lines go, since this room does no output.
#ifndef DIG_TRACE_H
#define DIG_TRACE_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace dig {

namespace trace {

// Set once, while there is one thread; never taken back.
extern bool is_on;

// Takes a line with its newline.  Any thread calls it, one at a time.
using Sink = std::function<void(std::string_view line)>;

// Lines begin with process, as in "dig-chunk[4711".  Earlier records are forgotten.
void start(std::string process, Sink sink);
// Writes the sums, once.  Regions that end later, in threads that still run, are not written.
void finish();
// Writes nothing more, not even the sums, since this process goes on as another command.
void stop();

std::int64_t begin_region();
void end_region(const char *name, std::int64_t began_ns);
void add_count(const char *name, std::uint64_t n);

} // namespace trace

class Region {
public:
	// The name must live as long as the process: a literal.
	explicit Region(const char *name) : name_(trace::is_on ? name : nullptr)
	{
		if (name_)
			began_ns_ = trace::begin_region();
	}
	~Region()
	{
		if (name_)
			trace::end_region(name_, began_ns_);
	}
	Region(const Region &) = delete;
	Region &operator=(const Region &) = delete;

private:
	const char *name_;
	std::int64_t began_ns_ = 0;
};

inline void trace_count(const char *name, std::uint64_t n = 1)
{
	if (trace::is_on)
		trace::add_count(name, n);
}

} // namespace dig

#endif
