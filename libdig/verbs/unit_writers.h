// Writes units of content by several threads.
//
//     planner ─► queue ─► reader ─► files        the planner is one of the threads
//                         reader ─► files
#ifndef DIG_UNIT_WRITERS_H
#define DIG_UNIT_WRITERS_H

#include <condition_variable>
#include <deque>
#include <mutex>

#include "libdig/os/workers.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/target.h"

namespace dig {

// What a thread takes: the chunks of some files, or some chunks of one.
struct Unit {
	struct Share {
		TargetPointer target;
		std::size_t first, count; // of the chunks
	};
	std::vector<Share> shares;
	std::vector<WantedChunk> chunks;
	std::uint64_t size = 0;

	void add(const ContentChunk &chunk)
	{
		chunks.emplace_back().chunk = chunk;
		size += chunk.size;
	}
};

class UnitWriters {
public:
	// All must outlive it.
	UnitWriters(Store &store, CheckoutTally &tally, Work &work);

	// A unit holds so many bytes, or one chunk.
	std::uint64_t unit_size() const { return plan_.unit; }
	// That wait, or are written, at the same time.
	std::size_t most_units() const { return 2 * plan_.threads + 2; }
	// Calls plan in this thread, which pushes units, and returns when they are written.  Throws the
	// first failure that is no fate of one entry.
	void run(const std::function<void()> &plan);
	// Only by plan.  Writes the unit at once when enough units wait.
	void push(Unit unit);

	// Any thread.  One user of the target has done its part; the last one completes it.
	void release(const TargetPointer &target);
	// Any thread.  For the metrics: the chunk is there, so many times.
	void count(const ContentChunk &chunk, std::uint64_t repeats = 1);

private:
	void add_worker();
	void run_worker();
	std::optional<Unit> claim(bool waits);
	void finish();
	void wake_all();
	void write(ChunkReader &reader, Unit &unit);
	void drop_present(const OldContent &old, Unit &unit);
	void put(Target &target, std::span<const WantedChunk> chunks);

	Store &store_;
	CheckoutTally &tally_;
	Work &work_;
	ReadPlan plan_;
	ReadMemory memory_;
	ChunkCache blocks_;
	ChunkReader reader_; // of the planner

	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Unit> queue_;
	bool is_planned_ = false;
	Workers workers_{[this] { wake_all(); }}; // the last member, since the others are what they use
};

} // namespace dig

#endif
