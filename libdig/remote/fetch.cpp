// From all packs and records a merged layer is made, which is imported like any other file that came
// from elsewhere: nothing that the remote says is believed.
#include "libdig/remote/fetch.h"

#include <algorithm>

#include "libdig/os/process.h"
#include "libdig/remote/fetched_packs.h"
#include "libdig/remote/lazy_layer.h"
#include "libdig/remote/reapply.h"
#include "libdig/verbs/import_layer.h"
#include "libdig/verbs/layer_merger.h"

namespace dig {

constexpr std::size_t records_at_once = 64;

class Fetch {
public:
	Fetch(const StorePaths &paths, RemoteObjects &objects, const FetchOptions &options)
		: paths_(paths), options_(options), work_(*options.work), remote_(objects), store_(paths),
		  packs_(paths_, objects, work_)
	{
	}

	FetchResult run()
	{
		const std::optional<RemoteDescription> description = remote_.description();
		if (!description)
			throw Error("there is nothing that 'dig push' has made");
		description_ = *description;
		const RootHistory roots = store_.roots();
		if (roots.size() > 0 && description_.store_id != store_.id())
			throw Error("the remote has states of another store, " + to_hex(description_.store_id));
		result_.newest = roots.size();
		const std::vector<std::uint64_t> later = remote_.generations_after(roots.size());
		if (later.empty()) {
			compare_newest(roots);
			if (!options_.is_plan)
				FetchedPacks::remove_left(paths_);
			return result_;
		}
		result_.newest = later.back();
		result_.range = {later.front(), later.back()};
		read_records(roots);
		if (!options_.is_plan)
			bring();
		return result_;
	}

private:
	// The remote has no more states than this store; but it may be another history.
	void compare_newest(const RootHistory &roots)
	{
		std::uint64_t newest = roots.size();
		if (newest == 0)
			return;
		std::optional<RootRecord> record = remote_.record(newest);
		if (!record) {
			// There are states here that were not pushed.
			newest = std::min(options_.known, newest);
			if (const std::vector<std::uint64_t> later = remote_.generations_after(newest); !later.empty())
				newest = later.back();
			if (newest > 0)
				record = remote_.record(newest);
		}
		if (record && record->state.header.id() != roots.at(newest).layer_id)
			throw PartedHistories(newest, newest);
	}

	void read_records(const RootHistory &roots)
	{
		work_.begin_stage("fetch");
		Digest last = roots.tip_root();
		Connections connections(remote_.objects(), options_.start);
		std::vector<std::optional<RootRecord>> some;
		for (std::uint64_t i = result_.range.first; i <= result_.range.last; i++) {
			check_interrupted();
			const std::size_t at = (i - result_.range.first) % records_at_once;
			if (at == 0) {
				some.assign(std::min<std::uint64_t>(records_at_once, result_.range.last - i + 1), std::nullopt);
				connections.each(some.size(), [&](RemoteObjects &objects, std::size_t number) {
					some[number] = RemoteStore(objects).record(i + number);
				});
			}
			std::optional<RootRecord> &record = some[at];
			if (!record)
				throw Error("the record of @" + std::to_string(i) + " is gone from the remote");
			const LayerHeader &header = record->state.header;
			if (header.store_id != description_.store_id)
				throw CorruptError("the record of @" + std::to_string(i) + " is of another store");
			if (header.parent_root != last) {
				if (i == result_.range.first)
					throw PartedHistories(roots.size(), result_.newest);
				throw CorruptError("the record of @" + std::to_string(i) + " does not follow on the one before");
			}
			last = record->root;
			packs_.add_for(*record, remote_);
			record->packs.clear();
			records_.push_back(std::move(*record));
		}
		if (options_.is_lazy) {
			for (const RootRecord::Pack &pack : packs_.packs())
				result_.elsewhere += pack.size;
			return;
		}
		result_.kept = packs_.bytes_here();
		result_.bytes = packs_.bytes_to_come();
	}

	void bring()
	{
		if (options_.is_lazy)
			return bring_tables();
		packs_.bring();
		const File built = File::temporary_in(paths_.tmp());
		build(built);
		import_layer(paths_, built, work_);
		packs_.remove();
	}

	void bring_tables()
	{
		make_directory(paths_.tmp());
		const LazyStates states{result_.range, state_source(), dropped(), description_.chunking};
		const File built = File::temporary_in(paths_.tmp());
		const std::uint64_t before = work_.bytes.get();
		write_lazy_layer(built, states, packs_.packs(), remote_.objects(), paths_.tmp(), work_);
		result_.bytes = work_.bytes.get() - before;
		import_lazy_layer(paths_, built, work_);
		bring_top_of_tree();
	}

	// What every path of the newest state leads through, so that it is in the cache.
	void bring_top_of_tree()
	{
		constexpr std::size_t most_nodes = 64;
		store_.reload();
		if (store_.layer_table()->is_dropped(result_.newest))
			return;
		const TreeRoot tree = store_.manifest(result_.newest);
		if (tree.leaves == 0)
			return;
		const Node root = load_root(store_.nodes(), TreeKind::manifest, tree);
		for (std::size_t i = 0; root.level() > 1 && i < std::min(root.size(), most_nodes); i++)
			load_node(store_.nodes(), TreeKind::manifest, root.child(i), i > 0 ? root.path(i - 1) : std::string_view());
	}

	std::function<LayerState(std::uint64_t)> state_source() const
	{
		return [this](std::uint64_t generation) { return records_.at(generation - result_.range.first).state; };
	}

	std::vector<GenerationRange> dropped() const
	{
		std::vector<GenerationRange> ranges;
		for (const RootRecord &record : records_) {
			const std::uint64_t generation = record.state.header.generation;
			if (!record.is_dropped)
				continue;
			if (!ranges.empty() && ranges.back().last + 1 == generation)
				ranges.back().last++;
			else
				ranges.push_back({generation, generation});
		}
		return ranges;
	}

	void build(const File &file)
	{
		MergeOptions merge;
		merge.least_live = 0;
		merge.chunking = description_.chunking;
		merge.state = state_source();
		merge.directory = paths_.tmp();
		LayerMerger merger(store_, file, result_.range, merge);
		packs_.put_into(merger, [this](ItemKind kind, const Digest &id) { return store_.holds(kind, id); });
		merger.finish(dropped(), 0);
	}

	StorePaths paths_;
	const FetchOptions &options_;
	Work &work_;
	RemoteStore remote_;
	Store store_;
	RemoteDescription description_;
	std::vector<RootRecord> records_;
	FetchedPacks packs_;
	FetchResult result_;
};

FetchResult fetch_states(const StorePaths &paths, RemoteObjects &objects, const FetchOptions &options)
{
	return Fetch(paths, objects, options).run();
}

} // namespace dig
