// A run is made from the journal behind a finished add, when nobody waits for it but the next
// writer. It is derived: it is not synced, and one that is torn or made of another journal is
// removed with all others, since the journal tells the same and only costs more time.
//
// Runs cover the journal from its beginning up to an offset without a gap.  So one number tells
// what the next writer must still read, and the index must know the journal at least so far that
// its finished files need not be read again either.
#include "libdig/staging/staged_runs.h"

#include <algorithm>

#include "libdig/os/arena.h"
#include "libdig/os/directory.h"
#include "libdig/os/publish.h"
#include "libdig/staging/pack.h"

namespace dig {

constexpr std::size_t run_batch = 131072;      // records sorted in memory: 6 MiB
constexpr std::uint64_t run_threshold = 1_MiB; // bytes of journal

void remove_staging_runs(const std::string &directory)
{
	for (const std::string &name : names_in(directory))
		if (name.ends_with(".run"))
			remove_file_if_there(directory + "/" + name);
}

static std::uint64_t run_number(const std::string &name)
{
	const std::size_t slash = name.rfind('/');
	return std::strtoull(name.c_str() + (slash == name.npos ? 0 : slash + 1), nullptr, 10);
}

// What runs of a journal name as their source.
static Digest source_of(const StagingId &journal)
{
	Digest source{};
	std::copy(journal.begin(), journal.end(), source.bytes.begin());
	return source;
}

void StagedRuns::open(const StagingId &journal)
{
	std::lock_guard guard(mutex_);
	runs_.clear();
	covered_ = 0;
	std::vector<std::unique_ptr<ChunkRun>> found;
	for (const std::string &name : names_in(directory_)) {
		if (!name.ends_with(".run"))
			continue;
		try {
			found.push_back(std::make_unique<ChunkRun>(File::open(directory_ + "/" + name)));
			if (found.back()->coverage().source != source_of(journal))
				throw CorruptError("it was made of another journal", name, 0);
		} catch (const Error &) {
			remove_staging_runs(directory_);
			return;
		}
	}
	std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
		return run_number(a->file().name()) < run_number(b->file().name());
	});
	for (const auto &run : found)
		covered_ = std::max(covered_, run->coverage().journal_offset);
	runs_ = std::move(found);
}

bool StagedRuns::contains(ItemKind kind, const Digest &digest)
{
	std::lock_guard guard(mutex_);
	return std::any_of(runs_.begin(), runs_.end(), [&](auto &run) { return run->find(kind, digest).has_value(); });
}

// Reads block records from an offset of the journal on, in batches sorted by digest.
static LargeVector<RunRecord> next_batch(JournalReader &reader, const Pack &pack)
{
	const std::string &name = pack.journal().name();
	LargeVector<RunRecord> records;
	// The journal has a digest for each.
	records.reserve(std::min<std::uint64_t>(
		(pack.journal_size() - std::min(pack.journal_size(), reader.offset())) / sizeof(Digest),
		run_batch + max_block_items));
	while (records.size() < run_batch) {
		const std::optional<JournalBlock> block = next_block(reader, name);
		if (!block)
			break;
		for (std::size_t i = 0; i < block->items.size(); i++) {
			RunRecord record{};
			record.digest = block->items[i];
			record.block = block->number;
			record.item = static_cast<std::uint16_t>(i);
			record.kind = block->record.kind;
			records.push_back(record);
		}
	}
	// Of an item that is there twice, the first place comes first.
	std::sort(records.begin(), records.end(), [](const RunRecord &a, const RunRecord &b) {
		if (!a.is_same_item(b))
			return a < b;
		return a.block != b.block ? a.block < b.block : a.item < b.item;
	});
	return records;
}

static RunRecords records_of(std::shared_ptr<LargeVector<RunRecord>> records)
{
	return [records, next = std::size_t(0)]() mutable -> std::optional<RunRecord> {
		if (next == records->size())
			return {};
		return (*records)[next++];
	};
}

void StagedRuns::extend(const Pack &pack) { extend_beyond(pack, run_threshold); }

void StagedRuns::extend_beyond(const Pack &pack, std::uint64_t threshold)
{
	std::lock_guard guard(mutex_);
	if (pack.journal_size() < std::max(covered_, journal_start) + threshold)
		return;
	JournalReader reader(pack.journal(), covered_);
	std::uint64_t number = runs_.empty() ? 0 : run_number(runs_.back()->file().name());
	for (;;) {
		auto batch = std::make_shared<LargeVector<RunRecord>>(next_batch(reader, pack));
		if (batch->empty())
			return;
		const std::string path = directory_ + "/" + std::to_string(++number) + ".run";
		PublishedFile file(path);
		RunCoverage coverage;
		coverage.journal_offset = covered_ = reader.offset();
		coverage.source = source_of(pack.id());
		write_run(file.file(), coverage, batch->size(), records_of(batch));
		file.publish(PublishedFile::Durability::none);
		runs_.push_back(std::make_unique<ChunkRun>(File::open(path)));
	}
}

RunRecords StagedRuns::all(const Pack &pack)
{
	// What no run covers fits into memory, or is made into runs.
	extend_beyond(pack, 4 * run_threshold);
	std::lock_guard guard(mutex_);
	std::vector<RunRecords> sources;
	for (auto &run : runs_)
		sources.push_back(run->records());
	JournalReader reader(pack.journal(), covered_);
	for (;;) {
		auto batch = std::make_shared<LargeVector<RunRecord>>(next_batch(reader, pack));
		if (batch->empty())
			break;
		sources.push_back(records_of(batch));
	}
	if (sources.empty())
		return [] { return std::optional<RunRecord>(); };
	return merge_records(std::move(sources));
}

} // namespace dig
