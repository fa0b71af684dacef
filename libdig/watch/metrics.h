// Counters and times of work that may last.  progress.h shows them while the work goes on;
// --metrics and --explain print them at its end.
//
// Both read a Work.  Library code that may last gets a Work from its caller and adds to it.  Many
// threads may add: each addition is one relaxed atomic operation, and no thread waits for another.
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

// The steps among which a thread's time is divided.
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
	// Of the thread that gives work to the workers.
	walk,     // waits for the list of files, or looks at directories
	tree,     // makes, reads or compares manifests
	finish,   // index, sections, syncs
};
constexpr std::size_t step_count = 12;
std::string_view name_of(Step step);

class Work {
public:
	Work();

	Counter files, bytes, chunks;    // that are finished
	Counter seen;                    // files that were compared, taken or not
	Counter changed_files;           // that were taken although they changed while they were read
	Counter stream_bytes;            // received from a stream so far
	Counter new_bytes, stored_bytes; // of chunks that were not stored yet: raw, and as stored
	Counter cache_hits, cache_misses;
	Counter workers;                 // threads that share the steps
	// Threads that the settings or the cores ask for, and those of them that the memory keeps at work at the
	// same time; and what would keep all at work, 0 if no setting does.
	Counter workers_wanted, workers_carried, memory_for_wanted;

	// The least that was carried counts.  One thread calls it.
	void carry_workers(std::size_t wanted, std::size_t carried, const std::function<std::uint64_t()> &enough);

	// --- for progress: the stage, and its size -------------------------------------------

	// The size of the stage.  If items_total is not 0, the stage consists of items, and
	// items_done counts them; else it consists of files and bytes, which the counters above
	// count.
	Counter total_files, total_bytes, items_done, items_total;
	std::atomic<bool> is_total_known{false};

	struct Totals {
		std::uint64_t files = 0, bytes = 0, items = 0;
	};
	// name is that of one of the Progress's stages.  Totals that are not given may grow until
	// is_total_known is set.  One thread calls it.
	void begin_stage(const char *name, const Totals &totals);
	void begin_stage(const char *name) { begin_stage(name, {}); }
	const char *stage() const { return stage_.load(std::memory_order_relaxed); }
	// The counts at the beginning of the stage.
	std::uint64_t files_before() const { return files_before_.get(); }
	std::uint64_t bytes_before() const { return bytes_before_.get(); }
	// stage_began is called by each begin_stage(), in the same thread.
	void watch(std::function<void()> stage_began) { stage_began_ = std::move(stage_began); }

	// --- where the time goes -------------------------------------------------------------

	void add_time(Step step, std::int64_t ns)
	{
		times_ns_[static_cast<std::size_t>(step)].add(static_cast<std::uint64_t>(ns));
	}
	double seconds(Step step) const;
	// Since this Work was made.
	double elapsed_s() const;

	bool has_cache = false; // whose hits the metrics shall have

private:
	std::int64_t began_ns_;
	std::array<Counter, step_count> times_ns_;
	std::atomic<const char *> stage_{nullptr};
	Counter files_before_, bytes_before_;
	std::function<void()> stage_began_;
};

// For callers that nobody watches.
Work &unseen_work();

// Monotonic.
std::int64_t clock_ns();

// The time of one thread, divided among steps without a gap.
class StepClock {
public:
	explicit StepClock(Work &work) : work_(work), at_ns_(clock_ns()) {}

	// The time since the last call was spent on this step.
	void lap(Step step)
	{
		const std::int64_t now = clock_ns();
		work_.add_time(step, now - at_ns_);
		at_ns_ = now;
	}
	// The time since the last call belongs to no step.
	void restart() { at_ns_ = clock_ns(); }

private:
	Work &work_;
	std::int64_t at_ns_;
};

// One line of --metrics.  The value is a number, or "null" if there is none.
struct Metric {
	std::string name, value;
};
std::vector<Metric> metrics_of(const Work &work, double elapsed_s, const ProcessUse &use);
// Lines of "name value", and a JSON object in one line.
std::string metrics_text(const std::vector<Metric> &metrics);
std::string metrics_json(const std::vector<Metric> &metrics);

// One or two sentences: the step that limits the run, and the figures that show it.
std::string limit_of(const Work &work, double elapsed_s);

} // namespace dig

#endif
