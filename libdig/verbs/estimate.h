// What content would add to a store: it is read once, cut and looked up, and nothing is written.
//
// New bytes are those of chunks that neither the store nor the staging area has, and that did not come before
// in this estimate; each chunk counts where it comes first, in the order of paths.  So the figures do not
// depend on threads, and they are what an add of the same files takes and a commit then stores, before it is
// compressed.
#ifndef DIG_ESTIMATE_H
#define DIG_ESTIMATE_H

#include <deque>
#include <mutex>
#include <span>

#include "libdig/ingest/ingest.h"
#include "libdig/staging/clock_margin.h"
#include "libdig/worktree/work_record.h"

namespace dig {

struct EstimatedCost {
	std::uint64_t files = 0;  // and symbolic links
	std::uint64_t bytes = 0;  // of content
	std::uint64_t new_bytes = 0;
	std::uint64_t chunks = 0, new_chunks = 0;

	std::uint64_t shared_bytes() const { return bytes - new_bytes; }
	void add(const EstimatedCost &other);
};

struct EstimateOptions {
	std::uint64_t depth = 1; // of directories that are told, below those that were asked for
	// Each such directory, behind all that is below it; a cost for each target, or one.
	std::function<void(const std::string &directory, std::span<const EstimatedCost> costs)> directory;
	std::function<void(const std::string &path, const std::string &message)> failed;
	Work *work = &unseen_work();
};

// Sums by directory.  Files come in the order of paths.
class DirectoryCosts {
public:
	DirectoryCosts(const EstimateOptions &options, std::size_t targets) : options_(options), total_(targets) {}

	// The paths that were asked for.
	void add_scope(const std::string &path) { scopes_.push_back(path); }
	void add(const std::string &path, std::span<const EstimatedCost> costs);
	const std::vector<EstimatedCost> &finish();

private:
	struct Directory {
		std::string path;
		std::vector<EstimatedCost> costs;
	};
	void leave();
	bool is_told(const std::string &path) const;

	const EstimateOptions &options_;
	std::vector<EstimatedCost> total_;
	std::vector<std::string> scopes_;
	std::vector<Directory> open_;
};

class Estimate {
public:
	virtual ~Estimate() = default;
	// The records of a walk, in their order.
	virtual void take(const WorkRecord &record) = 0;
	// The sum of everything, for each target.
	virtual const std::vector<EstimatedCost> &finish() = 0;
};

// With the chunks of a store, and beside what it has; without a store, of an empty one.  Files that are as the
// index knows them are not read.  All must outlive the result.
std::unique_ptr<Estimate> estimate_for_store(Store *store, const Settings &settings,
	const ChunkingParameters &chunking, const File &root, const EstimateOptions &options);

// In new stores with these sizes of chunks (chunking.target), all of them from one reading.
constexpr std::size_t most_targets = 4;
std::unique_ptr<Estimate> estimate_for_targets(const std::vector<std::uint64_t> &targets, const File &root,
	const EstimateOptions &options);

} // namespace dig

#endif
