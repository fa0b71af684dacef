// The counters are independent of each other and nobody acts on them, so relaxed operations are
// enough: a reader sees each number as it was a moment ago.  At the end the threads have been
// joined.
//
// What limits a run.  Each thread divides its time among steps without a gap.  The time of a step
// that workers share is divided by their number, since they do it side by side; the other steps are
// done by one thread each.  The step with the largest share is the limit.  Waiting for the disk
// counts like computing, since both hold up the run.
#include "libdig/watch/metrics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "libdig/base/byte_size.h"

namespace dig {

std::int64_t clock_ns()
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(
		std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string_view name_of(Step step)
{
	constexpr std::array<std::string_view, step_count> names{"read", "cut", "hash", "lookup",
		"compress", "write", "wait", "input", "idle", "walk", "tree", "finish"};
	return names[static_cast<std::size_t>(step)];
}

// --- work -----------------------------------------------------------------------------------

Work::Work() : began_ns_(clock_ns()) {}

void Work::begin_stage(const char *name, const Totals &totals)
{
	is_total_known = totals.files + totals.bytes > 0;
	total_files.set(totals.files);
	total_bytes.set(totals.bytes);
	items_total.set(totals.items);
	items_done.set(0);
	files_before_.set(files.get());
	bytes_before_.set(bytes.get());
	stage_.store(name, std::memory_order_relaxed);
	if (stage_began_)
		stage_began_();
}

void Work::carry_workers(std::size_t wanted, std::size_t carried, const std::function<std::uint64_t()> &enough)
{
	if (workers_wanted.get() > 0 && carried > workers_carried.get())
		return;
	workers_wanted.set(wanted);
	workers_carried.set(std::min(carried, wanted));
	if (carried < wanted)
		memory_for_wanted.set(std::max(memory_for_wanted.get(), enough()));
}

double Work::seconds(Step step) const
{
	return static_cast<double>(times_ns_[static_cast<std::size_t>(step)].get()) / 1e9;
}

Work &unseen_work()
{
	static Work work;
	return work;
}

double Work::elapsed_s() const { return static_cast<double>(clock_ns() - began_ns_) / 1e9; }

// --- metrics --------------------------------------------------------------------------------

static std::string number(double value, int decimals)
{
	if (!std::isfinite(value))
		return "null";
	char text[64];
	std::snprintf(text, sizeof text, "%.*f", decimals, value);
	return text;
}

// Null where nothing new came, of which no ratio can be told; 1 where nothing came at all.
static std::string deduplication_ratio(const Work &work)
{
	const double bytes = static_cast<double>(work.bytes.get());
	return bytes == 0 ? "1.000" : number(bytes / static_cast<double>(work.new_bytes.get()), 3);
}

std::vector<Metric> metrics_of(const Work &work, double elapsed_s, const ProcessUse &use)
{
	const double bytes = static_cast<double>(work.bytes.get());
	const double files = static_cast<double>(work.files.get());
	std::vector<Metric> metrics;
	const auto count = [&](const char *name, std::uint64_t n) { metrics.push_back({name, std::to_string(n)}); };
	count("files_processed", work.files.get());
	if (work.seen.get())
		count("files_seen", work.seen.get());
	if (work.changed_files.get())
		count("files_changed_while_read", work.changed_files.get());
	count("bytes_processed", work.bytes.get());
	count("chunks_created", work.chunks.get());
	count("new_bytes", work.new_bytes.get());
	count("stored_bytes", work.stored_bytes.get());
	metrics.push_back({"deduplication_ratio", deduplication_ratio(work)});
	metrics.push_back({"processing_time", number(elapsed_s, 6)});
	count("memory_peak", use.peak_memory);
	// A megabyte is 1024 * 1024 bytes, as in the specification.
	metrics.push_back({"throughput_mb_per_sec", number(bytes / (1024 * 1024) / elapsed_s, 3)});
	metrics.push_back({"files_per_sec", number(files / elapsed_s, 3)});
	if (work.has_cache) {
		count("cache_hits", work.cache_hits.get());
		count("cache_misses", work.cache_misses.get());
	}
	count("workers", work.workers.get());
	if (work.workers_wanted.get()) {
		count("workers_wanted", work.workers_wanted.get());
		count("workers_at_work", std::min(work.workers.get(), work.workers_carried.get()));
	}
	metrics.push_back({"cpu_user_s", number(use.user_s, 3)});
	metrics.push_back({"cpu_system_s", number(use.system_s, 3)});
	for (std::size_t i = 0; i < step_count; i++) {
		const Step step = static_cast<Step>(i);
		metrics.push_back({"stage_" + std::string(name_of(step)) + "_s", number(work.seconds(step), 6)});
	}
	return metrics;
}

std::string metrics_text(const std::vector<Metric> &metrics)
{
	std::string text;
	for (const Metric &metric : metrics)
		text += metric.name + ' ' + metric.value + '\n';
	return text;
}

std::string metrics_json(const std::vector<Metric> &metrics)
{
	std::string text = "{\"schema\":1,\"type\":\"metrics\"";
	for (const Metric &metric : metrics)
		text += ",\"" + metric.name + "\":" + metric.value;
	return text + "}\n";
}

// --- what limits ----------------------------------------------------------------------------

// As large a part of the run as a step would last if nothing else took time.
struct Share {
	Step step;
	double share;
};

static std::uint64_t workers_of(const Work &work) { return std::max<std::uint64_t>(1, work.workers.get()); }

static std::vector<Share> shares_of(const Work &work, double elapsed_s)
{
	std::vector<Share> shares;
	// These are shared by the workers; in the others, there is one at a time.
	for (Step step : {Step::read, Step::cut, Step::hash, Step::lookup, Step::compress})
		shares.push_back({step, work.seconds(step) / elapsed_s / static_cast<double>(workers_of(work))});
	for (Step step : {Step::write, Step::input, Step::walk, Step::tree, Step::finish})
		shares.push_back({step, work.seconds(step) / elapsed_s});
	std::stable_sort(shares.begin(), shares.end(),
		[](const Share &a, const Share &b) { return a.share > b.share; });
	return shares;
}

static std::string words_for(Step step)
{
	switch (step) {
	case Step::read: return "reading the files";
	case Step::cut: return "finding where to cut";
	case Step::hash: return "hashing";
	case Step::lookup: return "looking chunks up";
	case Step::compress: return "compressing";
	case Step::write: return "writing the pack";
	case Step::input: return "waiting for the program that feeds the stream";
	case Step::walk: return "walking the work tree";
	case Step::tree: return "making the manifest";
	case Step::finish: return "writing the index and putting all on storage";
	default: return std::string(name_of(step));
	}
}

static std::string percent_text(double share)
{
	return number(std::min(100.0, 100 * share), 0) + " %";
}

// Where memory holds workers back, that and the setting that would help; else nothing.
static std::string memory_text(const Work &work)
{
	const std::uint64_t carried = work.workers_carried.get();
	if (work.workers_wanted.get() == 0 || work.workers.get() <= carried)
		return "";
	const std::string text = "; the memory keeps about " + std::to_string(carried) + " of " +
		std::to_string(work.workers.get()) + " workers at work at the same time, and ";
	const std::uint64_t enough = work.memory_for_wanted.get();
	return text + (enough ? "performance.max_memory_usage=" + std::to_string(enough >> 20) + "MB would keep all of them"
						 : "the memory limit of the control group is too low for all of them");
}

std::string limit_of(const Work &work, double elapsed_s)
{
	if (work.bytes.get() == 0 && work.seen.get() > 0)
		return "no content had to be read: " + std::to_string(work.seen.get()) +
			(work.seen.get() == 1 ? " file was" : " files were") + " compared in " + number(elapsed_s, 2) + " s";
	const std::vector<Share> shares = shares_of(work, elapsed_s);
	const Share &first = shares[0], &second = shares[1];
	const bool is_shared = first.step <= Step::compress;
	const std::uint64_t workers = workers_of(work);
	const double step_s = work.seconds(first.step);
	std::string text = "this run of " + number(elapsed_s, 2) + " s is limited by " +
		words_for(first.step) + " (" + std::string(name_of(first.step)) + "): " +
		percent_text(first.share) + (is_shared ? " of the time of " + std::to_string(workers) +
			(workers == 1 ? " worker" : " workers") : " of that time");
	const double bytes = static_cast<double>(
		first.step == Step::write ? work.stored_bytes.get() : work.bytes.get());
	if (first.step < Step::walk && bytes > 0 && step_s > 0)
		text += ", " + size_text(bytes) + " at " +
			size_text(bytes / step_s * static_cast<double>(is_shared ? workers : 1)) + "/s";
	text += "; next is " + words_for(second.step) + " with " + percent_text(second.share);
	return text + memory_text(work);
}

} // namespace dig
