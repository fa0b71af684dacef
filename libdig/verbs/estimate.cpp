// Two ways to read, since there are two questions.
//
// What a store would get is told by ingest, with the threads and the cuts of an add, and a sink that stores
// nothing.  Ingest claims chunks as its workers come to them, so that of two files with the same new content
// either may count as the first.  Here the sink counts, which gets everything in order.
//
// Which size of chunks would be best is a question for several sizes at once.  Content is read by one thread,
// a window at a time, and each size has a thread that cuts and hashes it.
#include "libdig/verbs/estimate.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/base/zeros.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"
#include "libdig/os/workers.h"
#include "libdig/staging/staged_items.h"

namespace dig {

constexpr std::size_t window_size = 2_MiB;
constexpr std::size_t least_parallel = 256_KiB; // less is cut by one thread
constexpr std::size_t most_waiting = 4096;      // files that are known, behind others that are read

void EstimatedCost::add(const EstimatedCost &other)
{
	files += other.files;
	bytes += other.bytes;
	new_bytes += other.new_bytes;
	chunks += other.chunks;
	new_chunks += other.new_chunks;
}

static void add_each(std::vector<EstimatedCost> &to, std::span<const EstimatedCost> costs)
{
	for (std::size_t i = 0; i < to.size(); i++)
		to[i].add(costs[i]);
}

// --- directories ------------------------------------------------------------------------------

bool DirectoryCosts::is_told(const std::string &path) const
{
	for (const std::string &scope : scopes_) {
		if (!is_within(path, scope))
			continue;
		const std::string_view below = std::string_view(path).substr(std::min(path.size(), scope.size()));
		const auto slashes = static_cast<std::uint64_t>(std::count(below.begin(), below.end(), '/'));
		if (slashes + (scope.empty() && !path.empty()) <= options_.depth)
			return true;
	}
	return false;
}

void DirectoryCosts::leave()
{
	const Directory last = std::move(open_.back());
	open_.pop_back();
	if (is_told(last.path))
		options_.directory(last.path, last.costs);
	if (!open_.empty())
		add_each(open_.back().costs, last.costs);
}

void DirectoryCosts::add(const std::string &path, std::span<const EstimatedCost> costs)
{
	while (!open_.empty() && !is_within(path, open_.back().path))
		leave();
	if (open_.empty())
		open_.push_back({"", std::vector<EstimatedCost>(total_.size())});
	const std::string &above = open_.back().path;
	for (std::size_t slash = path.find('/', above.empty() ? 0 : above.size() + 1); slash != path.npos;
		slash = path.find('/', slash + 1))
		open_.push_back({path.substr(0, slash), std::vector<EstimatedCost>(total_.size())});
	add_each(open_.back().costs, costs);
	add_each(total_, costs);
}

const std::vector<EstimatedCost> &DirectoryCosts::finish()
{
	while (!open_.empty())
		leave();
	return total_;
}

// --- for a store ------------------------------------------------------------------------------

class StoreEstimate : public Estimate, private IngestSink {
public:
	StoreEstimate(Store *store, const Settings &settings, const ChunkingParameters &chunking, const File &root,
		const EstimateOptions &options)
		: store_(store), options_(options), margins_(root), known_(temporary_directory()), costs_(options, 1)
	{
		if (store_) {
			index_ = Index::open(store_->paths().staging());
			at_.emplace(index_->cursor());
			note_staged();
		}
		ingest_ = std::make_unique<Ingest>(settings, chunking, root, static_cast<IngestSink &>(*this), *options.work);
	}
	~StoreEstimate() override { ingest_.reset(); }

	void take(const WorkRecord &record) override
	{
		switch (record.type) {
		case WorkRecord::Type::scope: return costs_.add_scope(record.path == "." ? "" : record.path);
		case WorkRecord::Type::file:
		case WorkRecord::Type::symlink: return present(record);
		default: return;
		}
	}

	const std::vector<EstimatedCost> &finish() override
	{
		ingest_->drain();
		count_known();
		return costs_.finish();
	}

private:
	struct Waiting {
		std::string path;
		std::uint64_t size;
		bool is_known; // as it is in the index
	};

	// The pack has these, whether an entry names them or not.
	void note_staged()
	{
		StagedBlocks blocks(store_->paths());
		while (const std::optional<JournalBlock> block = blocks.next())
			if (block->kind() == ItemKind::chunk)
				for (const Digest &id : block->items)
					known_.insert(ItemKind::chunk, id);
	}

	void present(const WorkRecord &record)
	{
		options_.work->seen.add();
		const bool is_known = is_unchanged(record);
		bool is_full;
		{
			std::lock_guard guard(mutex_);
			waiting_.push_back({record.path, record.stat.size, is_known});
			is_full = waiting_.size() >= most_waiting;
		}
		if (!is_known) {
			Source source;
			source.path = record.path;
			source.kind = record.entry_kind();
			source.stat = record.stat;
			ingest_->submit(std::move(source));
		} else if (is_full) {
			ingest_->drain();
		}
		count_known();
	}

	bool is_unchanged(const WorkRecord &record)
	{
		if (!at_)
			return false;
		at_->seek(record.path);
		const IndexRecord *const known = at_->current();
		return known && known->entry.path == record.path && !known->is_removed && !known->is_by_reference &&
			known->entry.kind == record.entry_kind() &&
			compare_stat(*known, record.stat, margins_.of(record.path, record.stat)) == StatAnswer::same;
	}

	// What stands in front and is not read.
	void count_known()
	{
		std::lock_guard guard(mutex_);
		while (!waiting_.empty() && waiting_.front().is_known) {
			EstimatedCost cost;
			cost.files = 1;
			cost.bytes = waiting_.front().size;
			costs_.add(waiting_.front().path, std::span(&cost, 1));
			waiting_.pop_front();
		}
	}

	void take(const IngestedUnit &unit) override
	{
		for (const IngestedUnit::Part &part : unit.parts) {
			for (const ChunkRef &chunk : part.chunks)
				count(chunk);
			if (part.outcome)
				finish_source(*part.source, *part.outcome);
		}
	}

	void count(const ChunkRef &chunk)
	{
		cost_.chunks += chunk.count;
		cost_.bytes += chunk.size * chunk.count;
		if ((store_ && store_->holds(ItemKind::chunk, chunk.id)) || !known_.insert(ItemKind::chunk, chunk.id))
			return;
		cost_.new_chunks++;
		cost_.new_bytes += chunk.size;
	}

	void finish_source(const Source &source, const SourceOutcome &outcome)
	{
		count_known();
		cost_.files = 1;
		std::string failure = outcome.error;
		if (failure.empty() && outcome.has_changed)
			failure = quote(source.path) + " changed while it was read";
		{
			std::lock_guard guard(mutex_);
			waiting_.pop_front();
			if (failure.empty())
				costs_.add(source.path, std::span(&cost_, 1));
		}
		if (!failure.empty())
			options_.failed(source.path, failure);
		cost_ = EstimatedCost();
	}

	Store *const store_;
	const EstimateOptions &options_;
	ClockMargins margins_;
	std::optional<Index> index_;
	std::optional<IndexCursor> at_;
	ItemSet known_;
	std::mutex mutex_;
	// Files in the order of paths, from the first one on that is not counted.
	std::deque<Waiting> waiting_;
	DirectoryCosts costs_;
	EstimatedCost cost_; // of the source that comes
	std::unique_ptr<Ingest> ingest_;
};

std::unique_ptr<Estimate> estimate_for_store(Store *store, const Settings &settings,
	const ChunkingParameters &chunking, const File &root, const EstimateOptions &options)
{
	return std::make_unique<StoreEstimate>(store, settings, chunking, root, options);
}

// --- for sizes of chunks ----------------------------------------------------------------------

// Cuts content for one size.  Of one thread at a time.
class TargetCut {
public:
	explicit TargetCut(std::uint64_t target) : known_(temporary_directory())
	{
		parameters_.target = target;
		buffer_.resize(limits_for_target(target).maximum + window_size);
	}

	void begin()
	{
		chunker_.emplace(parameters_);
		size_ = 0;
		cost_ = EstimatedCost();
		cost_.files = 1;
	}

	void add(Bytes window, bool is_last)
	{
		std::copy(window.begin(), window.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
		size_ += window.size();
		std::size_t at = 0;
		chunks_.clear();
		while (at < size_) {
			const std::size_t n = chunker_->next(Bytes(buffer_).subspan(at, size_ - at), is_last);
			if (n == 0)
				break;
			chunks_.push_back({at, n, {}});
			at += n;
		}
		count();
		std::memmove(buffer_.data(), buffer_.data() + at, size_ - at);
		size_ -= at;
	}

	const EstimatedCost &cost() const { return cost_; }

private:
	struct Chunk {
		std::size_t offset, size;
		Digest id;
	};

	void count()
	{
		jobs_.clear();
		for (Chunk &chunk : chunks_) {
			const Bytes bytes = Bytes(buffer_).subspan(chunk.offset, chunk.size);
			if (chunk.size >= 64_KiB && bytes[0] == 0 && is_zero(bytes))
				chunk.id = zero_digest(chunk.size);
			else
				jobs_.push_back({bytes, &chunk.id});
		}
		sha256_many(jobs_);
		for (const Chunk &chunk : chunks_) {
			const bool is_new = known_.insert(ItemKind::chunk, chunk.id);
			cost_.chunks++;
			cost_.bytes += chunk.size;
			cost_.new_chunks += is_new;
			cost_.new_bytes += is_new ? chunk.size : 0;
		}
	}

	ChunkingParameters parameters_;
	std::optional<Chunker> chunker_;
	Buffer buffer_;
	std::size_t size_ = 0; // of what has no cut yet
	std::vector<Chunk> chunks_;
	std::vector<HashJob> jobs_;
	ItemSet known_;
	EstimatedCost cost_;
};

class TargetEstimate : public Estimate {
public:
	TargetEstimate(const std::vector<std::uint64_t> &targets, const File &root, const EstimateOptions &options)
		: root_(root), options_(options), costs_(options, targets.size()), window_(window_size)
	{
		for (const std::uint64_t target : targets)
			cuts_.push_back(std::make_unique<TargetCut>(target));
	}

	void take(const WorkRecord &record) override
	{
		if (record.type == WorkRecord::Type::scope)
			costs_.add_scope(record.path == "." ? "" : record.path);
		if (record.type != WorkRecord::Type::file && record.type != WorkRecord::Type::symlink)
			return;
		options_.work->seen.add();
		try {
			read(record);
		} catch (const SystemError &error) {
			return options_.failed(record.path, error.what());
		}
		std::vector<EstimatedCost> costs;
		for (const auto &cut : cuts_)
			costs.push_back(cut->cost());
		costs_.add(record.path, costs);
		options_.work->files.add();
	}

	const std::vector<EstimatedCost> &finish() override { return costs_.finish(); }

private:
	void read(const WorkRecord &record)
	{
		for (const auto &cut : cuts_)
			cut->begin();
		if (record.type == WorkRecord::Type::symlink)
			return pass_on(bytes_of(read_link_beneath(root_, record.path)), true);
		const File file = open_beneath(root_, record.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		for (bool is_last = false; !is_last;) {
			check_interrupted();
			const std::size_t n = file.read(window_);
			is_last = n < window_.size();
			pass_on(Bytes(window_).first(n), is_last);
			options_.work->bytes.add(n);
		}
	}

	void pass_on(Bytes window, bool is_last)
	{
		Workers workers;
		std::vector<TargetCut *> left;
		for (const auto &cut : cuts_)
			left.push_back(cut.get());
		if (window.size() >= least_parallel)
			while (left.size() > 1 &&
				workers.start([cut = left.back(), window, is_last] { cut->add(window, is_last); }))
				left.pop_back();
		for (TargetCut *const cut : left)
			cut->add(window, is_last);
		workers.join();
	}

	const File &root_;
	const EstimateOptions &options_;
	DirectoryCosts costs_;
	Buffer window_;
	std::vector<std::unique_ptr<TargetCut>> cuts_;
};

std::unique_ptr<Estimate> estimate_for_targets(const std::vector<std::uint64_t> &targets, const File &root,
	const EstimateOptions &options)
{
	return std::make_unique<TargetEstimate>(targets, root, options);
}

} // namespace dig
