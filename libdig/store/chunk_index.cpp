#include "libdig/store/chunk_index.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"

// Each layer has an index of its own.  To ask every layer for every item would take one search a layer.
// So runs merge the indexes of many layers, as in a log-structured merge tree: sizes double from run to
// run, there are O(log layers) of them, and a record is copied O(log layers) times.  The newest layers
// have no run yet, so that not every commit writes one.
//
// Runs are derived, and nothing waits until they are on storage.  A crash can lose a run or damage it.
// Between publishing a merged run and removing its sources, it leaves runs that overlap.  A damaged run
// is done without until the next writer makes a new one; of runs that overlap, the widest counts.
//
// So a look-up can be wrong in two ways.  A run can name a place where the item is not: the reader
// compares the digest there.  And no run may name an item that a layer has: find_in_layers() asks the
// layers themselves.  Both cost a reader time only.  A writer that is told "stored" by mistake would
// lose content, so it asks find_sound(), which takes no run's word for it unless the layer's own index
// was found intact.

namespace dig {

using OpenRun = ChunkIndex::OpenRun;

// So many layers stand without a run before one is made of them.
constexpr std::uint64_t max_uncovered = 8;
// So many layers are open at once when runs are made anew.
constexpr std::uint64_t max_layers_a_run = 128;
// A layer's chunk index is read whole, for its checksum, when so many bytes of it stand against
// each item that was found in it.
constexpr std::uint64_t index_bytes_a_hit = 32_KiB;
// Bounds the look-ups in layers for items that nobody has: so many layers are asked altogether, which
// takes seconds.
constexpr std::uint64_t most_asked_in_vain = 100000;

static std::vector<std::string> run_paths(const std::string &directory)
{
	std::vector<std::string> paths;
	for (const std::string &name : find_stat(directory) ? names_in(directory) : std::vector<std::string>())
		if (name.ends_with(".run"))
			paths.push_back(directory + "/" + name);
	std::sort(paths.begin(), paths.end());
	return paths;
}

// Whether the run was made of generations of this history, and of the files that they lie in now.
static bool is_of(const RunCoverage &covers, const RootHistory &roots, const LayerTable &table)
{
	return covers.last_generation <= roots.size() &&
		covers.source == table.source_of(roots.at(covers.last_generation).root,
			{covers.first_generation, covers.last_generation});
}

static bool overlaps(const std::vector<OpenRun> &runs, const RunCoverage &covers)
{
	return std::any_of(runs.begin(), runs.end(), [&](const OpenRun &other) {
		return covers.first_generation <= other.run->coverage().last_generation &&
			other.run->coverage().first_generation <= covers.last_generation;
	});
}

// The runs that are whole and do not overlap, by generation; hints where there is nothing else.
static std::vector<OpenRun> open_runs(const std::string &directory, const RootHistory &roots, const LayerTable &table,
	std::size_t cache_size, bool takes_hints)
{
	std::vector<OpenRun> found, runs;
	for (const std::string &path : run_paths(directory)) {
		try {
			auto run = std::make_unique<ChunkRun>(File::open(path), cache_size);
			const RunCoverage &covers = run->coverage();
			if (covers.first_generation < 1 || covers.first_generation > covers.last_generation)
				continue;
			const bool is_hint = !is_of(covers, roots, table);
			if (!is_hint || takes_hints)
				found.push_back({std::move(run), is_hint});
		} catch (const Error &) {
			// It is derived: the layers are asked instead.
		}
	}
	// Of overlapping runs, which a crash between writing one and removing its sources
	// leaves, the widest counts.
	const auto width = [](const OpenRun &run) {
		return run.run->coverage().last_generation - run.run->coverage().first_generation;
	};
	std::sort(found.begin(), found.end(), [&](const OpenRun &a, const OpenRun &b) {
		return a.is_hint != b.is_hint ? b.is_hint : width(a) > width(b);
	});
	for (OpenRun &run : found)
		if (!overlaps(runs, run.run->coverage()))
			runs.push_back(std::move(run));
	std::sort(runs.begin(), runs.end(), [](const OpenRun &a, const OpenRun &b) {
		return a.run->coverage().first_generation < b.run->coverage().first_generation;
	});
	return runs;
}

// Newest first.  Of generations in one file, the one that its items are listed under.
static std::vector<std::uint64_t> uncovered_by(const std::vector<OpenRun> &runs, std::uint64_t generations,
	const LayerTable &table)
{
	std::vector<std::uint64_t> uncovered;
	std::uint64_t next = 1;
	for (const OpenRun &run : runs) {
		for (; next <= generations && next < run.run->coverage().first_generation; next++)
			uncovered.push_back(next);
		next = run.run->coverage().last_generation + 1;
	}
	for (; next <= generations; next++)
		uncovered.push_back(next);
	std::erase_if(uncovered, [&](std::uint64_t generation) { return table.home(generation) != generation; });
	std::reverse(uncovered.begin(), uncovered.end());
	return uncovered;
}

ChunkIndex::ChunkIndex(const std::string &directory, const RootHistory &roots,
	std::shared_ptr<const LayerTable> table, LayerSource layer, std::size_t cache_size)
	: layer_(std::move(layer)), table_(std::move(table)), generations_(roots.size()),
	  runs_(open_runs(directory, roots, *table_, cache_size, true)),
	  uncovered_(uncovered_by(runs_, roots.size(), *table_))
{
}

// Asks the layers of these generations.  A damaged one is not asked again, and its error is kept: it
// counts only when no other layer has the item.
std::optional<ChunkIndex::Found> ChunkIndex::ask(std::vector<std::uint64_t> &generations, ItemKind kind,
	const Digest &digest)
{
	for (auto at = generations.begin(); at != generations.end();)
		try {
			if (const auto place = layer_(*at)->find(kind, digest))
				return Found{{*at, *place}};
			++at;
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			failure_ = std::current_exception();
			at = generations.erase(at);
		}
	return {};
}

std::optional<ChunkIndex::Found> ChunkIndex::search(ItemKind kind, const Digest &digest)
{
	std::lock_guard guard(mutex_);
	if (const auto found = ask(uncovered_, kind, digest))
		return found;
	for (OpenRun &at : runs_) {
		if (!at.run)
			continue;
		try {
			const auto record = at.run->find(kind, digest);
			if (record && record->generation >= 1 && record->generation <= generations_)
				return Found{{record->generation, {record->block, record->item}}, at.is_hint};
		} catch (const Error &) {
			// The run is damaged.  From now on its layers are asked one by one.
			std::vector<std::uint64_t> covered;
			const RunCoverage &covers = at.run->coverage();
			for (std::uint64_t i = std::min(covers.last_generation, generations_);
				i >= covers.first_generation; i--)
				if (table_->home(i) == i)
					covered.push_back(i);
			at.run.reset();
			const auto found = ask(covered, kind, digest);
			uncovered_.insert(uncovered_.end(), covered.begin(), covered.end());
			if (found)
				return found;
		}
	}
	return {};
}

std::optional<ItemPlace> ChunkIndex::find(ItemKind kind, const Digest &digest)
{
	if (const auto found = search(kind, digest))
		return found->place;
	std::lock_guard guard(mutex_);
	if (failure_)
		std::rethrow_exception(failure_);
	return {};
}

// Whether a layer's chunk index is intact.  It is read whole only when so many items were found in it
// that this pays.
ChunkIndex::Trust ChunkIndex::look_at(std::uint64_t generation, const Layer &layer)
{
	{
		std::lock_guard guard(mutex_);
		if (trust_.empty()) {
			trust_.resize(generations_ + 1);
			hits_.resize(generations_ + 1);
		}
		if (trust_[generation] != Trust::unknown || ++hits_[generation] * index_bytes_a_hit < layer.index_size())
			return trust_[generation];
	}
	Trust trust = Trust::sound;
	try {
		layer.check_index();
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		trust = Trust::unsound;
	}
	std::lock_guard guard(mutex_);
	return trust_[generation] = trust;
}

std::optional<ItemPlace> ChunkIndex::find_sound(ItemKind kind, const Digest &digest)
{
	try {
		const auto found = search(kind, digest);
		if (!found)
			return {};
		const std::uint64_t generation = found->place.generation;
		{
			std::lock_guard guard(mutex_);
			const Trust trust = trust_.empty() ? Trust::unknown : trust_[generation];
			if (trust == Trust::unsound)
				return {};
			if (trust == Trust::sound && !found->is_hint)
				return found->place;
		}
		const std::shared_ptr<Layer> layer = layer_(generation);
		const auto own = layer->find(kind, digest);
		if (!own || look_at(generation, *layer) == Trust::unsound)
			return {};
		const BlockRecord block = layer->block(own->block);
		if (own->item >= block.items || block.kind != static_cast<std::uint8_t>(kind))
			return {};
		return ItemPlace{generation, *own};
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		// Without a look-up there is nothing to rely on.
		return {};
	}
}

bool ChunkIndex::find_in_layers(ItemKind kind, const Digest &digest,
	const std::function<bool(const ItemPlace &)> &take)
{
	std::exception_ptr failure;
	if (asked_in_vain_ >= most_asked_in_vain)
		return false;
	for (std::uint64_t generation = generations_; generation > 0; generation--) {
		if (table_->home(generation) != generation)
			continue;
		try {
			const auto place = layer_(generation)->find(kind, digest);
			if (place && take({generation, *place}))
				return true;
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			if (!failure)
				failure = std::current_exception();
		}
	}
	asked_in_vain_ += generations_;
	if (failure)
		std::rethrow_exception(failure);
	return false;
}

// --- for writers ----------------------------------------------------------------------------

// The records of a layer; nothing when the layer is damaged.  Its items are then in no run: readers find
// them by asking the layer, and a writer stores them again.
static std::optional<RunRecords> find_records(const LayerSource &layer, std::uint64_t generation,
	std::vector<std::shared_ptr<Layer>> &open)
{
	try {
		const std::shared_ptr<Layer> found = layer(generation);
		found->check_index();
		open.push_back(found);
		return found->records(generation);
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		return {};
	}
}

static bool is_whole(ChunkRun &run)
{
	try {
		run.check();
		return true;
	} catch (const CorruptError &) {
		return false;
	}
}

// Removes runs that a wider one covers, that are damaged, or that belong to another history.
static void remove_others(const std::string &directory, const RootHistory &roots, const LayerTable &table)
{
	std::vector<std::string> kept;
	for (const OpenRun &run : open_runs(directory, roots, table, 0, false))
		kept.push_back(run.run->file().name());
	for (const std::string &old : run_paths(directory))
		if (std::find(kept.begin(), kept.end(), old) == kept.end())
			remove_file_if_there(old);
}

// What a new run covers and what it is made of.
struct RunPlan {
	RunCoverage coverage;
	std::uint64_t count = 0;
	std::vector<std::shared_ptr<Layer>> open;
	std::vector<RunRecords> sources;
	bool is_hindered = false; // by a damaged run, which was removed
};

// The last generation of a run that begins with this one: runs end where a file does, before the next
// run, and before they have too many layers.
static std::uint64_t end_of_run(const std::vector<OpenRun> &runs, std::uint64_t first, const RootHistory &roots,
	const LayerTable &table)
{
	std::uint64_t limit = roots.size();
	for (const OpenRun &at : runs)
		if (const std::uint64_t next = at.run->coverage().first_generation; next > first)
			limit = std::min(limit, next - 1);
	std::uint64_t last = first;
	for (std::uint64_t layers = 0; last <= limit && layers < max_layers_a_run; layers++)
		last = table.home(last) + 1;
	return std::min(last - 1, limit);
}

// Everything from the first gap up to the next run becomes one run, together with the runs before it
// that are not twice as large.
static RunPlan plan_run(std::vector<OpenRun> &runs, std::uint64_t first, const RootHistory &roots,
	const LayerTable &table, const LayerSource &layer)
{
	RunPlan plan;
	plan.coverage.first_generation = first;
	plan.coverage.last_generation = end_of_run(runs, first, roots, table);
	for (std::uint64_t i = plan.coverage.last_generation; i >= first; i--) {
		if (table.home(i) != i)
			continue;
		if (std::optional<RunRecords> records = find_records(layer, i, plan.open)) {
			plan.count += plan.open.back()->item_count();
			plan.sources.push_back(std::move(*records));
		}
	}
	for (std::size_t i = runs.size(); i-- > 0;) {
		ChunkRun &run = *runs[i].run;
		const RunCoverage &covers = run.coverage();
		if (covers.first_generation > first)
			continue;
		if (run.count() >= 2 * plan.count)
			break;
		if (!is_whole(run)) {
			remove_file_if_there(run.file().name());
			plan.is_hindered = true;
			break;
		}
		plan.count += run.count();
		plan.coverage.first_generation = covers.first_generation;
		plan.sources.push_back(run.records());
	}
	plan.coverage.source = table.source_of(roots.at(plan.coverage.last_generation).root,
		{plan.coverage.first_generation, plan.coverage.last_generation});
	return plan;
}

void ChunkIndex::update(const std::string &directory, const RootHistory &roots, const LayerTable &table,
	const LayerSource &layer)
{
	make_directory(directory);
	for (;;) {
		auto runs = open_runs(directory, roots, table, 0, false);
		const auto uncovered = uncovered_by(runs, roots.size(), table);
		if (uncovered.size() < max_uncovered)
			return;
		// The run begins with the first generation of the file.
		const MergedLayer *const merged = table.find(uncovered.back());
		RunPlan plan = plan_run(runs, merged ? merged->range.first : uncovered.back(), roots, table, layer);
		if (plan.is_hindered)
			continue;
		const std::string path = directory + "/" + std::to_string(plan.coverage.last_generation) + ".run";
		PublishedFile file(path);
		if (plan.sources.empty())
			plan.sources.push_back([] { return std::optional<RunRecord>(); });
		write_run(file.file(), plan.coverage, plan.count, merge_records(std::move(plan.sources)));
		file.publish(PublishedFile::Durability::none);
		remove_others(directory, roots, table);
	}
}

RunRecords ChunkIndex::all_items(const std::string &directory, const RootHistory &roots, const LayerTable &table,
	const LayerSource &layer)
{
	auto runs = std::make_shared<std::vector<OpenRun>>(open_runs(directory, roots, table, 0, false));
	auto open = std::make_shared<std::vector<std::shared_ptr<Layer>>>();
	std::vector<std::pair<std::uint64_t, RunRecords>> sources; // by generation
	for (const std::uint64_t generation : uncovered_by(*runs, roots.size(), table)) {
		open->push_back(layer(generation));
		open->back()->check_index();
		sources.emplace_back(generation, open->back()->records(generation));
	}
	for (OpenRun &run : *runs) {
		sources.emplace_back(run.run->coverage().last_generation, run.run->records());
	}
	std::sort(sources.begin(), sources.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
	std::vector<RunRecords> ordered;
	for (auto &[generation, records] : sources)
		ordered.push_back(std::move(records));
	return [runs, open, merged = merge_records(std::move(ordered))] { return merged(); };
}

void ChunkIndex::check(const std::string &directory)
{
	for (const std::string &path : run_paths(directory))
		// A commit may have merged it into another one meanwhile.
		if (std::optional<File> file = File::find(path))
			ChunkRun(std::move(*file)).check();
}

std::size_t ChunkIndex::remove_damaged(const std::string &directory)
{
	std::size_t count = 0;
	for (const std::string &path : run_paths(directory)) {
		try {
			ChunkRun(File::open(path)).check();
		} catch (const CorruptError &) {
			remove_file(path);
			count++;
		}
	}
	return count;
}

} // namespace dig
