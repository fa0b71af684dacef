// What is needed is found without a lock: kept states are walked (reachability), and each layer file gets
// a verdict by the share of its blocks that is needed.  Runs of neighbouring files that are to shrink are
// then merged into one each (layer_merger).  A file of which nothing is needed leaves only what it says of
// its states.
//
// Each merged layer is put in place in this order, which a kill or a power cut may end anywhere:
//
//     the new file is durable                             nobody knows it: a stray, removed later
//     layer-table names it (the one moment that counts)   readers find the new place
//     the chunk index is made anew                        derived; without it, look-ups are slow
//     the old files go to dropped/                        strays until then, removed later
//
// The table is replaced under the store's lock, and just before that two questions are asked: which
// states have come since the plan was made, and what is staged now?  Where one of them needs an item that
// lies in the old files and not in the new one, the new one is given up, and the next gc knows better.
//
// An add that is running relies on items without anybody knowing of it.  It sees at its end that content
// went meanwhile (LayerTable::drops), and marks the index; the commit then looks for everything that is
// staged, and takes from dropped/ what is nowhere else.  So files stay in dropped/ until all adds have
// ended that began before the gc did (StorePaths::adding).
//
// Readers take no lock.  A file that they have open stays readable; a layer that they open too late is
// missing, and the table tells where its content is now.
#include "libdig/verbs/prune.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/store/reserve.h"
#include "libdig/store/tags.h"
#include "libdig/verbs/dropped_files.h"
#include "libdig/verbs/layer_merger.h"
#include "libdig/verbs/layer_swap.h"
#include "libdig/verbs/prune_plan.h"

namespace dig {

// So much is copied into one file.
constexpr std::uint64_t merged_size = 1_GiB;

class Prune {
public:
	Prune(const StorePaths &paths, PruneOptions options, const ChooseStates &choose)
		: paths_(paths), options_(std::move(options)), choose_(choose), dropped_files_(paths_), work_(*options_.work)
	{
	}

	PruneResult run()
	{
		std::optional<Lock> gc;
		if (!options_.is_dry) {
			gc = Lock::acquire(paths_.gc_lock());
			make_directory(paths_.tmp());
			if (!purge_dropped(paths_, options_.notice))
				throw LockedError("nothing was done");
		}
		store_.emplace(paths_);
		keep_ = choose_(*store_);
		begin();
		plan();
		if (!options_.is_dry)
			drop_states();
		copy();
		end();
		return result_;
	}

private:
	std::string scratch() const { return options_.is_dry ? temporary_directory() : paths_.tmp(); }
	const std::vector<PrunePlan::File> &files() const { return plan_->files(); }
	bool is_late() const { return options_.deadline_ns && clock_ns() >= options_.deadline_ns; }

	// What is kept, and what is staged, as of one moment.
	void begin()
	{
		work_.begin_stage("reach");
		live_.emplace(*store_, scratch());
		std::optional<Lock> lock;
		if (!options_.is_dry) {
			lock = Lock::acquire(paths_.lock());
			StagingWriter(*store_, true); // recovers
		}
		store_->refresh();
		roots_ = store_->roots();
		table_ = *store_->layer_table();
		keep_.resize(roots_.size() + 1, true);
		for (const std::uint64_t generation : locked_generations(paths_))
			if (generation <= roots_.size())
				keep_[generation] = true;
		if (find_stat(paths_.staging()))
			live_->add_staged(Index::open(paths_.staging()));
	}

	bool is_kept(std::uint64_t generation) const
	{
		return generation == roots_.size() || (keep_[generation] && !table_.is_dropped(generation));
	}

	// What they need can only be told by reading their trees, and what they do not need takes no space here.
	void refuse_elsewhere()
	{
		for (const MergedLayer &merged : table_.merged())
			if (store_->layer(merged.range.last)->is_elsewhere())
				throw Error("the content of @" + std::to_string(merged.range.first) + " to @" +
					std::to_string(merged.range.last) + " lies in a remote; 'dig repack --fetch' brings it here, "
					"or run gc where it is");
	}

	void plan()
	{
		refuse_elsewhere();
		for (std::uint64_t i = 1; i <= roots_.size(); i++)
			if (is_kept(i)) {
				result_.states_kept++;
				live_->add_state(i);
			} else if (!table_.is_dropped(i)) {
				result_.states_dropped++;
			}
		live_->locate();
		plan_.emplace(*store_, *live_, table_, roots_.size());
		for (const PrunePlan::File &file : files()) {
			result_.layers_before++;
			result_.size_before += file.size;
			tell({!file.shrinks ? PruneStep::Fate::kept
				: file.live ? PruneStep::Fate::copied : PruneStep::Fate::dropped, file.range, file.size, file.live});
		}
	}

	void tell(const PruneStep &step) const
	{
		if (options_.step)
			options_.step(step);
	}

	// The states are dropped before their content is.
	void drop_states()
	{
		const Lock lock = Lock::acquire(paths_.lock());
		store_->refresh();
		if (!(*store_->layer_table() == table_))
			throw Error("the layer table has changed while it was looked at; run gc again");
		for (const std::uint64_t generation : locked_generations(paths_))
			if (generation <= roots_.size() && !is_kept(generation) && !table_.is_dropped(generation))
				throw Error("@" + std::to_string(generation) + " got a locked tag meanwhile; run gc again");
		bool shrinks = result_.states_dropped > 0;
		for (const PrunePlan::File &file : files())
			shrinks = shrinks || file.shrinks;
		if (!shrinks)
			return;
		dropped_files_.begin({table_, roots_.size()});
		has_begun_ = true;
		for (std::uint64_t i = 1; i <= roots_.size(); i++)
			if (!is_kept(i))
				table_.drop(i);
		publish_table(paths_, table_);
		store_->refresh();
	}

	// Neighbours that shrink become one file, as far as that does not become too large.
	void copy()
	{
		Work::Totals totals;
		for (const PrunePlan::File &file : files())
			totals.bytes += file.shrinks ? file.live : 0;
		work_.begin_stage("copy", totals);
		for (std::size_t first = 0, last; first < files().size(); first = last) {
			const PrunePlan::File &file = files()[first];
			last = first + 1;
			if (!file.shrinks) {
				result_.layers_after++;
				result_.size_after += file.size;
				continue;
			}
			std::uint64_t size = file.live;
			while (last < files().size() && files()[last].shrinks && size + files()[last].live <= merged_size)
				size += files()[last++].live;
			if (is_late() || !copy_if_there_is_room(first, last))
				leave(first, last);
		}
	}

	void leave(std::size_t first, std::size_t last)
	{
		result_.is_finished = false;
		for (std::size_t i = first; i < last; i++) {
			result_.layers_after++;
			result_.size_after += files()[i].size;
		}
	}

	// What is made anew needs room before the old goes; other files may give some.
	bool copy_if_there_is_room(std::size_t first, std::size_t last)
	{
		try {
			return copy_files(first, last);
		} catch (const SystemError &error) {
			// While there is a reserve, all of it is tried again.
			if (!is_out_of_room(error) || find_stat(paths_.reserve()))
				throw;
			if (first + 1 == last) {
				if (options_.notice)
					options_.notice("there is no room to make " + quote(files()[first].name) +
						" anew; it stays as it is");
				return false;
			}
			for (std::size_t i = first; i < last; i++)
				if (!copy_if_there_is_room(i, i + 1))
					leave(i, i + 1);
			return true;
		}
	}

	// False when the files stay as they are.
	bool copy_files(std::size_t first, std::size_t last)
	{
		const GenerationRange range{files()[first].range.first, files()[last - 1].range.last};
		std::optional<PublishedFile> target;
		const dig::File none;
		if (!options_.is_dry)
			target.emplace(paths_.layers() + "/merging");
		MergeOptions merge;
		merge.least_live = plan_->least_live();
		const BlockCompression compression = late_compression_of(store_->settings());
		merge.codec = compression.codec;
		merge.level = compression.level;
		merge.directory = scratch();
		merge.work = &work_;
		LayerMerger merger(*store_, target ? target->file() : none, range, merge);
		bool is_complete = true;
		plan_->each_block(first, last, [&](std::size_t, const std::shared_ptr<Layer> &layer, std::uint32_t block,
			const std::vector<std::uint16_t> &items) {
			merger.take(layer, block, items);
			return is_complete = !is_late();
		});
		if (!is_complete)
			return false;
		std::vector<GenerationRange> dropped = table_.dropped();
		if (options_.is_dry) {
			LayerTable after = table_;
			for (std::uint64_t i = 1; i <= roots_.size(); i++)
				if (!is_kept(i))
					after.drop(i);
			dropped = after.dropped();
		}
		const LayerMerger::Result made = merger.finish(dropped, table_.epoch() + 1);
		if (target && !put_in_place(*target, {range, made.pack_id}, first, last))
			return false;
		// So that a store needs little more room than what is made.
		if (target && options_.is_final)
			purge_if_nobody_adds(*store_);
		result_.layers_after++;
		result_.size_after += made.size;
		tell({PruneStep::Fate::made, range, made.size, 0});
		return true;
	}

	bool put_in_place(PublishedFile &target, const MergedLayer &merged, std::size_t first, std::size_t last)
	{
		LayerSwap swap(*store_, merged);
		swap.publish_file(target);
		const Lock lock = Lock::acquire(paths_.lock());
		StagingWriter writer(*store_, true);
		store_->refresh();
		bool is_done = false;
		// No add ends between the last look at what is needed and the moment that counts.
		writer.locked([&] {
			if (!(*store_->layer_table() == table_) || has_new_needs(swap, writer))
				return;
			writer.mark_lacking(true);
			table_.count_drop();
			swap.replace(table_);
			is_done = true;
		});
		if (!is_done) {
			if (options_.notice)
				options_.notice("a commit or an add that came meanwhile needs what was to be dropped; the next gc "
					"looks again");
			return false;
		}
		swap.follow();
		for (std::size_t i = first; i < last; i++)
			dropped_files_.take_out(files()[i].name);
		dropped_files_.sync();
		return true;
	}

	// Whether somebody needs an item by now that is in the old files and not in the new one.
	bool has_new_needs(const LayerSwap &swap, StagingWriter &writer)
	{
		const auto take = [&](ItemKind kind, const Digest &id) {
			if (const auto place = store_->find_item(kind, id); place && place->generation <= roots_.size())
				needs_.push_back({kind, id, place->generation});
		};
		seen_generations_ = std::max(seen_generations_, roots_.size());
		for (const std::uint64_t now = store_->roots().size(); seen_generations_ < now;)
			live_->each_new(++seen_generations_, take);
		live_->each_newly_staged(Index::open(writer.directory()), take);
		return std::any_of(needs_.begin(), needs_.end(), [&](const Need &need) {
			return swap.covers(need.generation) && !swap.has(need.kind, need.id);
		});
	}

	void end()
	{
		if (options_.is_dry)
			return;
		if (has_begun_) {
			const Lock lock = Lock::acquire(paths_.lock());
			store_->refresh();
			LayerTable table = *store_->layer_table();
			table.count_round();
			publish_table(paths_, table);
			store_->refresh();
		}
		if (options_.is_final)
			purge_dropped(paths_, options_.notice);
		result_.restorable = dropped_files_.bytes();
	}

	struct Need {
		ItemKind kind;
		Digest id;
		std::uint64_t generation;
	};

	StorePaths paths_;
	PruneOptions options_;
	ChooseStates choose_;
	std::vector<bool> keep_; // by generation
	DroppedFiles dropped_files_;
	Work &work_;
	std::optional<Store> store_;
	RootHistory roots_; // as the plan was made
	LayerTable table_;  // as it is
	std::optional<LiveItems> live_;
	std::optional<PrunePlan> plan_;
	bool has_begun_ = false;
	std::vector<Need> needs_;
	std::uint64_t seen_generations_ = 0;
	PruneResult result_;
};

PruneResult prune_store(const StorePaths &paths, const PruneOptions &options, const ChooseStates &choose)
{
	return Prune(paths, options, choose).run();
}

std::uint64_t undo_prune(const StorePaths &paths)
{
	const Lock gc = Lock::acquire(paths.gc_lock());
	const Lock lock = Lock::acquire(paths.lock());
	const DroppedFiles files(paths);
	const std::optional<DroppedFiles::Before> before = files.before();
	if (!before)
		throw Error("there is nothing to undo: no gc has left its files, or a later command has removed them");
	Store store(paths);
	LayerTable table = *store.layer_table();
	const std::vector<std::string> names = files.names();
	const auto is_there = [&](const std::string &path) {
		const std::string name = path.substr(path.rfind('/') + 1);
		return find_stat(path) || std::find(names.begin(), names.end(), name) != names.end();
	};
	const auto old_file = [&](std::uint64_t home) {
		const MergedLayer *const merged = before->table.find(home);
		return merged ? paths.merged_layer(merged->pack_id) : paths.layer(store.roots().at(home).layer_id);
	};
	for (std::uint64_t i = 1; i <= before->generations; i = before->table.home(i) + 1)
		if (!is_there(old_file(i)))
			throw Error("the last gc cannot be undone: " + quote(old_file(i)) + " is gone");
	std::vector<std::string> made;
	for (const MergedLayer &merged : std::vector<MergedLayer>(table.merged()))
		if (merged.range.first <= before->generations) {
			if (merged.range.last > before->generations)
				throw Error("the last gc cannot be undone: the store was repacked since");
			if (!(before->table.find(merged.range.first) && *before->table.find(merged.range.first) == merged))
				made.push_back(paths.merged_layer(merged.pack_id));
		}
	for (const std::string &name : names)
		files.put_back(name);
	files.sync();
	std::uint64_t count = 0;
	for (std::uint64_t i = 1; i <= before->generations; i++)
		count += table.is_dropped(i) && !before->table.is_dropped(i);
	table.split({1, before->generations});
	for (const MergedLayer &merged : before->table.merged())
		table.merge(merged);
	table.set_dropped(before->table.dropped());
	publish_table(paths, table);
	store.refresh();
	ChunkIndex::update(paths.chunk_index(), store.roots(), *store.layer_table(),
		[&](std::uint64_t generation) { return store.layer(generation); });
	files.remove();
	for (const std::string &path : made)
		remove_file_if_there(path);
	sync_directory(paths.layers());
	return count;
}

} // namespace dig
