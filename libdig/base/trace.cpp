// A trace is for finding out what takes time, so what it costs matters only when it is on.  Then
// one mutex is enough: a region is a step of a whole unit of work, such as hashing a segment, and
// not of a chunk.  Sums are kept by the text of a name and not by its address, because equal
// literals in two files may have two addresses.
#include "libdig/base/trace.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

namespace dig::trace {

bool is_on = false;

struct Sum {
	std::uint64_t times = 0;
	std::int64_t total_ns = 0, longest_ns = 0;
};

struct Trace {
	std::mutex mutex;
	std::string process;
	Sink sink; // empty after finish()
	std::int64_t began_ns = 0;
	int threads = 0;
	std::map<std::string_view, Sum> regions;
	std::map<std::string_view, std::uint64_t> counts;
};

// Never destroyed: a thread may end a region while the process ends.
static Trace &the_trace()
{
	static Trace &trace = *new Trace;
	return trace;
}

static thread_local int thread_number = 0, depth = 0;

static std::int64_t clock_ns()
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(
		std::chrono::steady_clock::now().time_since_epoch()).count();
}

static double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

void start(std::string process, Sink sink)
{
	Trace &trace = the_trace();
	trace.process = std::move(process);
	trace.sink = std::move(sink);
	trace.regions.clear();
	trace.counts.clear();
	trace.began_ns = clock_ns();
	is_on = true;
}

std::int64_t begin_region()
{
	depth++;
	return clock_ns();
}

void end_region(const char *name, std::int64_t began_ns)
{
	// Before the mutex, so that waiting for it is not part of the region.
	const std::int64_t took_ns = clock_ns() - began_ns;
	depth--;
	Trace &trace = the_trace();
	std::lock_guard guard(trace.mutex);
	Sum &sum = trace.regions[name];
	sum.times++;
	sum.total_ns += took_ns;
	sum.longest_ns = std::max(sum.longest_ns, took_ns);
	if (!trace.sink)
		return;
	// Threads are numbered by their first line.  The number of the kernel would say nothing more,
	// and differs in each run.
	if (thread_number == 0)
		thread_number = ++trace.threads;
	char numbers[96];
	std::snprintf(numbers, sizeof numbers, ".%d] %.6f +%.6f %*s", thread_number,
		seconds(began_ns - trace.began_ns), seconds(took_ns), 2 * depth, "");
	trace.sink(trace.process + numbers + name + '\n');
}

void add_count(const char *name, std::uint64_t n)
{
	Trace &trace = the_trace();
	std::lock_guard guard(trace.mutex);
	trace.counts[name] += n;
}

void finish()
{
	Trace &trace = the_trace();
	std::lock_guard guard(trace.mutex);
	if (!trace.sink)
		return;
	std::string text;
	const auto add_line = [&](std::string_view name, const std::string &words) {
		text += trace.process + "] " + words + ' ' + std::string(name) + '\n';
	};
	char words[128];
	for (const auto &[name, sum] : trace.regions) {
		std::snprintf(words, sizeof words, "sum %.6f of %llu, longest %.6f",
			seconds(sum.total_ns), static_cast<unsigned long long>(sum.times), seconds(sum.longest_ns));
		add_line(name, words);
	}
	for (const auto &[name, n] : trace.counts)
		add_line(name, "count " + std::to_string(n));
	trace.sink(text);
	trace.sink = nullptr;
}

void stop()
{
	Trace &trace = the_trace();
	std::lock_guard guard(trace.mutex);
	trace.sink = nullptr;
	is_on = false;
}

} // namespace dig::trace
