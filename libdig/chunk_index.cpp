#include "libdig/chunk_index.h"

#include <algorithm>

#include "libdig/directory.h"
#include "libdig/publish.h"

namespace dig {

// This many layers may stand without a run of their own before one is made of them.
constexpr std::uint64_t max_uncovered = 8;
// So many layers are open at once when runs are made anew.
constexpr std::uint64_t max_layers_a_run = 128;

static std::vector<std::string> run_paths(const std::string &directory)
{
	std::vector<std::string> paths;
	for (const std::string &name : find_stat(directory) ? names_in(directory) : std::vector<std::string>())
		if (name.ends_with(".run"))
			paths.push_back(directory + "/" + name);
	std::sort(paths.begin(), paths.end());
	return paths;
}

// The runs that are whole and do not overlap, by generation.
static std::vector<std::unique_ptr<ChunkRun>> open_runs(const std::string &directory,
	std::uint64_t generations, std::size_t cache_size)
{
	std::vector<std::unique_ptr<ChunkRun>> runs;
	for (const std::string &path : run_paths(directory)) {
		try {
			auto run = std::make_unique<ChunkRun>(File::open(path), cache_size);
			const RunCoverage &covers = run->coverage();
			if (covers.first_generation >= 1 && covers.first_generation <= covers.last_generation &&
				covers.last_generation <= generations)
				runs.push_back(std::move(run));
		} catch (const Error &) {
			// Derived: done without, and made anew by the next writer.
		}
	}
	// Of overlapping runs, which a crash between writing one and removing its sources
	// leaves, the widest counts.
	std::sort(runs.begin(), runs.end(), [](const auto &a, const auto &b) {
		const RunCoverage &x = a->coverage(), &y = b->coverage();
		return x.first_generation != y.first_generation ? x.first_generation < y.first_generation
								: x.last_generation > y.last_generation;
	});
	std::uint64_t covered = 0;
	std::erase_if(runs, [&](const auto &run) {
		if (run->coverage().first_generation <= covered)
			return true;
		covered = run->coverage().last_generation;
		return false;
	});
	return runs;
}

static std::vector<std::uint64_t> uncovered_by(const std::vector<std::unique_ptr<ChunkRun>> &runs,
	std::uint64_t generations)
{
	std::vector<std::uint64_t> uncovered;
	std::uint64_t next = 1;
	for (const auto &run : runs) {
		for (; next < run->coverage().first_generation; next++)
			uncovered.push_back(next);
		next = run->coverage().last_generation + 1;
	}
	for (; next <= generations; next++)
		uncovered.push_back(next);
	std::reverse(uncovered.begin(), uncovered.end());
	return uncovered;
}

ChunkIndex::ChunkIndex(const std::string &directory, std::uint64_t generations,
	LayerSource layer, std::size_t cache_size)
	: layer_(std::move(layer)), generations_(generations),
	  runs_(open_runs(directory, generations, cache_size)), uncovered_(uncovered_by(runs_, generations))
{
}

// Asks the layers of these generations.  One that is damaged must not hide what the others hold:
// its error counts only when nobody has the item.
std::optional<ItemPlace> ChunkIndex::ask(const std::vector<std::uint64_t> &generations, ItemKind kind,
	const Digest &digest, std::exception_ptr &failure)
{
	for (std::uint64_t generation : generations)
		try {
			if (const auto place = layer_(generation)->find(kind, digest))
				return ItemPlace{generation, *place};
		} catch (const CorruptError &) {
			failure = std::current_exception();
		}
	return {};
}

std::optional<ItemPlace> ChunkIndex::find(ItemKind kind, const Digest &digest)
{
	std::lock_guard guard(mutex_);
	std::exception_ptr failure;
	if (const auto place = ask(uncovered_, kind, digest, failure))
		return place;
	for (auto &run : runs_) {
		if (!run)
			continue;
		try {
			if (const auto record = run->find(kind, digest))
				return ItemPlace{record->generation, {record->block, record->item}};
		} catch (const CorruptError &) {
			// From here on its layers answer for themselves.
			std::vector<std::uint64_t> covered;
			for (std::uint64_t i = run->coverage().first_generation;
				i <= run->coverage().last_generation; i++)
				covered.push_back(i);
			uncovered_.insert(uncovered_.end(), covered.begin(), covered.end());
			run.reset();
			if (const auto place = ask(covered, kind, digest, failure))
				return place;
		}
	}
	if (failure)
		std::rethrow_exception(failure);
	return {};
}

std::optional<ItemPlace> ChunkIndex::find_in_layers(ItemKind kind, const Digest &digest)
{
	std::vector<std::uint64_t> all;
	for (std::uint64_t generation = generations_; generation > 0; generation--)
		all.push_back(generation);
	std::exception_ptr failure;
	return ask(all, kind, digest, failure);
}

void ChunkIndex::add_generation(const std::string &directory, std::uint64_t generations,
	const LayerSource &layer)
{
	auto runs = open_runs(directory, generations, 0);
	const auto uncovered = uncovered_by(runs, generations);
	if (uncovered.size() < max_uncovered)
		return;
	// Everything from the first gap on becomes one run, with the runs before it that are not
	// twice as large: sizes double from run to run, and each record is copied O(log) times.
	RunCoverage coverage{uncovered.back(), 0, 0};
	coverage.last_generation = std::min(generations, coverage.first_generation + max_layers_a_run - 1);
	std::uint64_t count = 0;
	std::vector<std::shared_ptr<Layer>> open;
	std::vector<RunRecords> sources;
	for (std::uint64_t i = coverage.last_generation; i >= coverage.first_generation; i--) {
		open.push_back(layer(i));
		count += open.back()->item_count();
		sources.push_back(open.back()->records(i));
	}
	for (std::size_t i = runs.size(); i-- > 0;) {
		const RunCoverage &covers = runs[i]->coverage();
		if (covers.first_generation > coverage.first_generation)
			continue; // behind the gap: overlapped from now on
		if (runs[i]->count() >= 2 * count)
			break;
		count += runs[i]->count();
		coverage.first_generation = covers.first_generation;
		sources.push_back(runs[i]->records());
	}
	const std::string path = directory + "/" + std::to_string(coverage.last_generation) + ".run";
	PublishedFile file(path);
	write_run(file.file(), coverage, count, merge_records(std::move(sources)));
	file.publish(PublishedFile::Durability::none);
	// What it covers, and what is damaged, goes.
	std::vector<std::string> kept;
	for (const auto &run : open_runs(directory, generations, 0))
		kept.push_back(run->file().name());
	for (const std::string &old : run_paths(directory))
		if (std::find(kept.begin(), kept.end(), old) == kept.end())
			remove_file_if_there(old);
	if (coverage.last_generation < generations)
		add_generation(directory, generations, layer);
}

void ChunkIndex::check(const std::string &directory)
{
	for (const std::string &path : run_paths(directory))
		ChunkRun(File::open(path)).check();
}

} // namespace dig
