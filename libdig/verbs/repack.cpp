// A store has a file for each commit, and many small ones make it slow to open and to copy.  Neighbouring
// files become one here, block by block (layer_merger), and layer_swap puts it in their place.  Nothing is
// left out but second copies.  Blocks that were compressed at the wanted level already are copied.
//
// After a commit, the sizes of the files fall from old to new, roughly: a file is made of those that it is
// not much larger than.  So each byte is copied as often as the logarithm of the number of commits.
#include "libdig/verbs/repack.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/staging/staging.h"
#include "libdig/store/changed_paths.h"
#include "libdig/store/remotes.h"
#include "libdig/verbs/dropped_files.h"
#include "libdig/verbs/layer_merger.h"
#include "libdig/verbs/layer_swap.h"

namespace dig {

constexpr std::uint64_t large_file = 1_GiB; // as large as a merged layer gets, and no reason to copy it
constexpr std::uint64_t least_left_alone = 16_MiB;
constexpr std::size_t long_block = 4_MiB;
// So many small files stand before a commit merges them.
constexpr std::size_t most_small_layers = 16;
constexpr std::uint64_t most_merged_by_commit = 1_MiB;
constexpr std::size_t check_memory = 24_MiB;

struct LayerFile {
	std::uint64_t home;
	GenerationRange range;
	std::string path;
	std::uint64_t size = 0;
	Packing packing;
	bool is_elsewhere = false;
};

static LayerFile file_of(Store &store, std::uint64_t home)
{
	const std::shared_ptr<Layer> layer = store.layer(home);
	return {home, layer->generations(), layer->name(), layer->file_size(), layer->packing(), layer->is_elsewhere()};
}

static std::vector<LayerFile> files_of(Store &store)
{
	std::vector<LayerFile> files;
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	for (std::uint64_t i = 1; i <= store.roots().size(); i = table->home(i) + 1)
		files.push_back(file_of(store, table->home(i)));
	return files;
}

std::uint64_t pending_bytes(Store &store)
{
	std::uint64_t sum = 0;
	for (const LayerFile &file : files_of(store))
		sum += file.packing.pending;
	return sum;
}

std::uint64_t layer_file_count(const Store &store)
{
	std::uint64_t count = 0;
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	for (std::uint64_t i = 1; i <= store.roots().size(); i = table->home(i) + 1)
		count++;
	return count;
}

// All blocks of a file.
static void take_file(Store &store, const LayerFile &file, LayerMerger &merger, const std::function<bool()> &is_late)
{
	const std::shared_ptr<Layer> layer = store.layer(file.home);
	for (std::uint32_t block = 0; block < layer->block_count() && !is_late(); block++) {
		std::vector<std::uint16_t> items(layer->block(block).items);
		for (std::size_t i = 0; i < items.size(); i++)
			items[i] = static_cast<std::uint16_t>(i);
		merger.take(layer, block, std::move(items));
	}
}

static void remove_files(std::span<const LayerFile> files)
{
	for (const LayerFile &file : files)
		remove_file_if_there(file.path);
}

class Repack {
public:
	Repack(const StorePaths &paths, const RepackOptions &options) : paths_(paths), options_(options) {}

	RepackResult run()
	{
		std::optional<Lock> lock;
		if (!options_.is_dry) {
			lock = Lock::acquire(paths_.gc_lock());
			make_directory(paths_.tmp());
			if (!purge_dropped(paths_, options_.notice))
				throw LockedError("nothing was done");
		}
		store_.emplace(paths_);
		settled_ = last_settled_state(paths_);
		files_ = files_of(*store_);
		Work::Totals totals;
		for (const LayerFile &file : files_)
			totals.bytes += is_wanted(file) ? file.size : 0;
		options_.work->begin_stage("copy", totals);
		for (std::size_t first = 0, last; first < files_.size(); first = last) {
			last = end_of_group(first);
			const std::span<const LayerFile> group = std::span(files_).subspan(first, last - first);
			result_.layers_before += group.size();
			for (const LayerFile &file : group)
				result_.size_before += file.size;
			if (!is_worth_it(group) || !merge(group)) {
				result_.layers_after += group.size();
				for (const LayerFile &file : group)
					result_.size_after += file.size;
			}
		}
		if (!options_.is_dry)
			note_changes();
		return result_;
	}

private:
	int level() const { return options_.level ? options_.level : late_level; }
	bool is_late() const { return options_.deadline_ns && clock_ns() >= options_.deadline_ns; }

	bool is_wanted(const LayerFile &file) const
	{
		if (file.is_elsewhere || options_.brings_content)
			return file.is_elsewhere && options_.brings_content;
		if (file.range.last > settled_)
			return false;
		if (options_.is_pending_only)
			return file.packing.pending > 0;
		return file.packing.pending > 0 || file.size < large_file ||
			(options_.level && file.packing.level < options_.level);
	}

	std::size_t end_of_group(std::size_t first) const
	{
		std::size_t last = first + 1;
		if (!is_wanted(files_[first]) || files_[first].is_elsewhere)
			return last;
		std::uint64_t size = files_[first].size;
		while (last < files_.size() && is_wanted(files_[last]) && size + files_[last].size <= large_file)
			size += files_[last++].size;
		// A large file that is done is not copied for a few small ones behind it.
		const LayerFile &file = files_[first];
		if (file.packing.level >= level() && file.size >= least_left_alone && size - file.size < file.size / 2)
			return first + 1;
		return last;
	}

	// A file alone is made anew only where it becomes smaller.
	bool is_worth_it(std::span<const LayerFile> group) const
	{
		if (!is_wanted(group[0]))
			return false;
		return group.size() > 1 || group[0].is_elsewhere || group[0].packing.pending > 0 ||
			group[0].packing.level < level();
	}

	bool merge(std::span<const LayerFile> group)
	{
		if (is_late()) {
			result_.is_finished = false;
			return false;
		}
		std::uint64_t before = 0;
		for (const LayerFile &file : group)
			before += file.size;
		const GenerationRange range{group.front().range.first, group.back().range.last};
		std::optional<PublishedFile> target;
		const File none;
		if (!options_.is_dry)
			target.emplace(paths_.layers() + "/merging");
		MergeOptions merge;
		// What comes from a remote stays as it was compressed.
		merge.least_live = options_.brings_content ? 0 : 2;
		merge.level = level();
		merge.told_level = options_.brings_content ? 0 : static_cast<std::uint8_t>(level());
		merge.block_size = options_.has_long_blocks ? long_block : merge.block_size;
		merge.directory = options_.is_dry ? temporary_directory() : paths_.tmp();
		merge.work = options_.work;
		LayerMerger merger(*store_, target ? target->file() : none, range, merge);
		for (const LayerFile &file : group)
			take_file(*store_, file, merger, [this] { return is_late(); });
		if (is_late()) {
			result_.is_finished = false;
			return false;
		}
		const std::shared_ptr<const LayerTable> table = store_->layer_table();
		const LayerMerger::Result made = merger.finish(table->dropped(), table->epoch() + 1);
		// Where nothing is gained, everything stays.  What hardly differs is not tried again.
		const bool is_for_size = group[0].packing.pending == 0 && !group[0].is_elsewhere;
		if (group.size() == 1 && made.size > before + before / 100 && is_for_size)
			return false;
		if (target)
			put_in_place(*target, {range, made.pack_id}, group);
		result_.layers_after++;
		result_.size_after += made.size;
		if (options_.made)
			options_.made(range, before, made.size);
		return true;
	}

	void put_in_place(PublishedFile &target, const MergedLayer &merged, std::span<const LayerFile> group)
	{
		LayerSwap swap(*store_, merged);
		swap.publish_file(target);
		swap.check(check_memory);
		const Lock lock = Lock::acquire(paths_.lock());
		store_->refresh();
		LayerTable table = *store_->layer_table();
		swap.replace(table);
		swap.follow();
		remove_files(group);
		sync_directory(paths_.layers());
	}

	// For dig log, which does without where it has to.
	void note_changes()
	{
		std::uint64_t generation = store_->roots().size();
		while (generation > 0 && !is_late()) {
			check_interrupted();
			const Lock lock = Lock::acquire(paths_.lock());
			store_->refresh();
			try {
				if (note_older_changed_paths(*store_, generation))
					continue;
			} catch (const SystemError &) {
				return;
			}
			generation = before_changed_paths_of(generation);
		}
	}

	StorePaths paths_;
	const RepackOptions &options_;
	std::optional<Store> store_;
	std::uint64_t settled_ = 0; // generation
	std::vector<LayerFile> files_;
	RepackResult result_;
};

RepackResult repack_store(const StorePaths &paths, const RepackOptions &options)
{
	return Repack(paths, options).run();
}

// --- after a commit -----------------------------------------------------------------------------

// The newest files, newest first, that make up one that is not much larger than the largest of them.
static std::vector<LayerFile> small_files(Store &store)
{
	std::vector<LayerFile> files, chosen;
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	const DroppedFiles dropped(store.paths());
	const std::optional<DroppedFiles::Before> before = dropped.before();
	const std::uint64_t untouched = before ? before->generations : 0; // for dig gc --undo
	const std::uint64_t newest = store.roots().size();
	const std::uint64_t most = std::max(most_merged_by_commit, store.layer(newest)->file_size() / 10);
	std::uint64_t sum = 0;
	std::uint64_t start = std::min(newest - 1, last_settled_state(store.paths()));
	if (start > 0 && table->home(start) > start)
		start = table->find(start)->range.first - 1;
	for (std::uint64_t home = start; home > untouched;) {
		LayerFile file = file_of(store, home);
		if (sum + file.size > most || file.range.first <= untouched || file.is_elsewhere)
			break;
		const bool is_similar = file.size <= 2 * sum;
		sum += file.size;
		home = file.range.first - 1;
		files.push_back(std::move(file));
		if (is_similar)
			chosen = files;
	}
	return chosen;
}

// The newest layer is left out: what is committed was told as a file of its own.
void merge_small_layers(Store &store)
{
	const StorePaths &paths = store.paths();
	const std::optional<Lock> gc = Lock::try_acquire(paths.gc_lock());
	if (!gc)
		return;
	std::vector<LayerFile> files = small_files(store);
	if (files.size() < most_small_layers)
		return;
	std::reverse(files.begin(), files.end());
	const GenerationRange range{files.front().range.first, files.back().range.last};
	make_directory(paths.tmp());
	remove_abandoned(paths.layers(), "merging");
	PublishedFile target(paths.layers() + "/merging");
	MergeOptions merge;
	merge.least_live = 0;
	merge.directory = paths.tmp();
	LayerMerger merger(store, target.file(), range, merge);
	for (const LayerFile &file : files)
		take_file(store, file, merger, [] { return false; });
	LayerTable table = *store.layer_table();
	const LayerMerger::Result made = merger.finish(table.dropped(), table.epoch() + 1);
	LayerSwap swap(store, {range, made.pack_id});
	swap.publish_file(target);
	swap.replace(table);
	swap.follow();
	remove_files(files);
	sync_directory(paths.layers());
}

} // namespace dig
