// What long work counts while it lasts: for whoever looks on (progress.h), and for the account
// at its end (--metrics, --explain).
//
// Work is what both look at.  Library code that may last gets a Work from its caller and adds to
// it; many threads add, each add is one relaxed atomic, and nobody waits for anybody.
#ifndef DIG_METRICS_H
#define DIG_METRICS_H

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/os/process.h"

namespace dig {

class Counter {
public:
	void add(std::uint64_t n = 1) { n_.fetch_add(n, std::memory_order_relaxed); }
	void set(std::uint64_t n) { n_.store(n, std::memory_order_relaxed); }
	std::uint64_t get() const { return n_.load(std::memory_order_relaxed); }

private:
	std::atomic<std::uint64_t> n_{0};
};

// What a thread does with its time.
enum class Step : std::uint8_t {
	// Workers, in parallel.
	read,     // from files and layers
	cut,      // where chunks end
	hash,
	lookup,   // is the chunk stored already
	compress, // or decompress
	write,    // to the pack, or to files; for an add, by a thread of its own
	wait,     // for a turn, where order matters
	input,    // for the program that feeds a stream
	idle,     // there was nothing to take
	// Whoever gives the workers what to do.
	walk,     // waits for the list of files, or looks at directories
	tree,     // makes, reads or compares manifests
	finish,   // index, sections, syncs
};
constexpr std::size_t step_count = 12;
std::string_view name_of(Step step);

class Work {
public:
	Work();

	Counter files, bytes, chunks;    // what went all the way
	Counter seen;                    // files that were compared, taken or not
	Counter changed_files;           // that were taken although they changed while they were read
	Counter stream_bytes;            // what came in of a stream so far
	Counter new_bytes, stored_bytes; // of chunks that were not there yet: raw, and as they lie
	Counter cache_hits, cache_misses;
	Counter workers;                 // threads that share the steps

	// --- for progress: what is being done, and how much of it there is -------------------

	// What a stage goes through: files with their bytes, as counted above since it began, or
	// things that only items_done counts, where items_total is not 0.
	Counter total_files, total_bytes, items_done, items_total;
	std::atomic<bool> is_total_known{false};

	struct Totals {
		std::uint64_t files = 0, bytes = 0, items = 0;
	};
	// A name that the stages of the command's Progress have.  Totals that are not given may
	// grow until is_total_known is set.  By one thread.
	void begin_stage(const char *name, const Totals &totals);
	void begin_stage(const char *name) { begin_stage(name, {}); }
	const char *stage() const { return stage_.load(std::memory_order_relaxed); }
	// The counts as the stage began.
	std::uint64_t files_before() const { return files_before_.get(); }
	std::uint64_t bytes_before() const { return bytes_before_.get(); }
	// Called at each begin_stage(), by its thread.
	void watch(std::function<void()> stage_began) { stage_began_ = std::move(stage_began); }

	// --- where the time goes -------------------------------------------------------------

	void add_time(Step step, std::int64_t ns)
	{
		times_ns_[static_cast<std::size_t>(step)].add(static_cast<std::uint64_t>(ns));
	}
	double seconds(Step step) const;
	// Since it was made.
	double elapsed_s() const;

	bool has_cache = false; // that is worth telling of

private:
	std::int64_t began_ns_;
	std::array<Counter, step_count> times_ns_;
	std::atomic<const char *> stage_{nullptr};
	Counter files_before_, bytes_before_;
	std::function<void()> stage_began_;
};

// What is added to where nobody looks on.
Work &unseen_work();

// Monotonic.
std::int64_t clock_ns();

// The time of one thread, divided among steps without a gap.
class StepClock {
public:
	explicit StepClock(Work &work) : work_(work), at_ns_(clock_ns()) {}

	// What passed since the call before was this step.
	void lap(Step step)
	{
		const std::int64_t now = clock_ns();
		work_.add_time(step, now - at_ns_);
		at_ns_ = now;
	}
	// What passed is nobody's.
	void restart() { at_ns_ = clock_ns(); }

private:
	Work &work_;
	std::int64_t at_ns_;
};

// One line of --metrics; the value is a number, or "null" where there is none.
struct Metric {
	std::string name, value;
};
std::vector<Metric> metrics_of(const Work &work, double elapsed_s, const ProcessUse &use);
// "name value" lines; and one JSON object in one line.
std::string metrics_text(const std::vector<Metric> &metrics);
std::string metrics_json(const std::vector<Metric> &metrics);

// A sentence or two: which step limits the run, and the figures that say so.
std::string limit_of(const Work &work, double elapsed_s);

} // namespace dig

#endif
