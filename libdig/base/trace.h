// Where the time goes, for whoever looks for it with DIG_TRACE: regions of time and counts.
//
//     Region region("hash");          // until the end of the scope
//     trace_count("cache misses");    // add 1, or as many as a second argument says
//
// That is all that one costs to add, and off, which is the usual case, each costs a branch.  A
// line is written at the end of each region,
//
//     dig-update-index[4711.2] 0.012345 +0.003210   hash
//
// process and thread, when it began (seconds since the trace did) and how long it took, indented
// by how many regions of the thread it lies in; at the end of the process, for each name, the
// sum of its regions, and its count.  Where the lines go is up to command.h, since this level
// does no output.
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

// process is what lines begin with: "dig-chunk[4711".  What was recorded before is forgotten.
void start(std::string process, Sink sink);
// The sums, once; regions that end later, in threads that are still there, are not told.
void finish();
// Nothing more is told, the sums neither: this process goes on as another command.
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
