// Sorted runs of what is in the pack: staging/N.run, derived from the journal.
//
// A writer must know of each item whether it is in the pack.  What it reads of the journal itself
// goes into an ItemSet; a journal that grows beyond 1 MiB gets a run for what it has more, so that
// the next writer need not read all of it.  The chunk index of a layer is merged from the runs.
#ifndef DIG_STAGED_RUNS_H
#define DIG_STAGED_RUNS_H

#include <mutex>

#include "libdig/format/chunk_run.h"
#include "libdig/staging/journal.h"

namespace dig {

class Pack;

class StagedRuns {
public:
	explicit StagedRuns(std::string directory) : directory_(std::move(directory)) {}

	// Those of this journal.  Where one is damaged, or of another journal, all are removed: the journal
	// is read instead.
	void open(const StagingId &journal);
	// Up to this offset of the journal its blocks are in runs.
	std::uint64_t covered() const { return covered_; }
	// Any thread, also while the others are called.
	bool contains(ItemKind kind, const Digest &digest);
	// Makes runs of what the journal has more, once that is 1 MiB.
	void extend(const Pack &pack);
	// Every item of the pack, in order.
	RunRecords all(const Pack &pack);

private:
	void extend_beyond(const Pack &pack, std::uint64_t threshold);

	std::string directory_;
	std::mutex mutex_;
	std::vector<std::unique_ptr<ChunkRun>> runs_;
	std::uint64_t covered_ = 0;
};

// Removes all of them.
void remove_staging_runs(const std::string &directory);

} // namespace dig

#endif
