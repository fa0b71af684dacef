// The file becomes one of the store's layer files as it is.  Each step can be the last one of a process:
//
//     the file is durable under its name    a stray that no state names, removed by the next gc
//     roots names the states                Store finds the file for them by itself (adopt_stray)
//     layer-table names the file            for good
//     the chunk index follows               derived
//
// A layer of one generation has the name that roots leads to, and needs no table.
#include "libdig/verbs/import_layer.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/staging/index.h"
#include "libdig/store/state_log.h"
#include "libdig/verbs/incoming_layer.h"
#include "libdig/verbs/layer_swap.h"

namespace dig {

constexpr std::size_t copy_window = 1_MiB;

class Import {
public:
	Import(const StorePaths &paths, Work &work, bool is_lazy) : paths_(paths), work_(work), is_lazy_(is_lazy) {}

	ImportResult run(const File &from)
	{
		work_.begin_stage("read");
		// Whoever feeds a pipe may take long.
		File spooled;
		if (from.stat().type != FileType::regular) {
			spooled = File::temporary_in(paths_.tmp());
			take(from, spooled);
		}
		const Lock gc = Lock::acquire(paths_.gc_lock());
		remove_abandoned(paths_.layers(), "incoming");
		PublishedFile target(paths_.layers() + "/incoming");
		take(spooled.is_open() ? spooled : from, target.file());
		layer_ = std::make_unique<Layer>(target.file().name());
		if (layer_->is_pack())
			throw Error("it is a pack, which has content and no states");
		if (layer_->is_elsewhere() != is_lazy_)
			throw Error("its content is in a remote; 'dig clone --lazy' takes such states");
		ImportResult result{layer_->generations(), layer_->file_size()};
		store_.emplace(paths_);
		if (store_->has_adopted()) {
			const Lock lock = Lock::acquire(paths_.lock());
			store_->refresh();
			settle_adopted(*store_);
		}
		choose_identity();
		if (is_known()) {
			result.is_known = true;
			return result;
		}
		check_history();
		check_content();
		const Lock lock = Lock::acquire(paths_.lock());
		store_->refresh();
		check_history();
		if (is_another_store_)
			take_identity();
		publish(target);
		return result;
	}

private:
	const GenerationRange &range() const { return layer_->generations(); }
	LayerState state(std::uint64_t generation) const { return layer_->state(generation); }
	Digest layer_id(std::uint64_t generation) const { return state(generation).header.id(); }

	void take(const File &from, const File &to)
	{
		Buffer window(copy_window);
		for (std::uint64_t at = 0;;) {
			const std::size_t n = from.read(window);
			if (n == 0)
				return;
			check_interrupted();
			to.write_at(Bytes(window).first(n), at);
			at += n;
			work_.bytes.add(n);
		}
	}

	// A store without any state takes over whose states come.
	void choose_identity()
	{
		const LayerHeader header = state(range().first).header;
		format_ = StoreFormat::decode(read_whole_file(paths_.format(), max_small_file), paths_.format());
		if (format_.store_id == header.store_id && format_.chunking.digest() == header.chunking)
			return;
		if (store_->roots().size() > 0 || Index::open(paths_.staging()).may_have_staged())
			throw Error("the states are of another store, " + to_hex(header.store_id) +
				"; a store that has none yet, and nothing staged, can take them");
		is_another_store_ = true;
		format_.store_id = header.store_id;
		if (format_.chunking.digest() == header.chunking)
			return;
		const std::optional<ChunkingParameters> chunking = layer_->chunking();
		if (!chunking || chunking->digest() != header.chunking)
			throw Error("the states were made with other chunking parameters, and the file does not say which");
		format_.chunking = *chunking;
		compare_chunking(store_->settings(), format_);
	}

	// Nothing relies on the old ones.
	void take_identity()
	{
		if (store_->roots().size() > 0 || Index::open(paths_.staging()).may_have_staged())
			throw Error("somebody has added to the store meanwhile; it cannot take states of another one any more");
		publish_file(paths_.format(), format_.encoded());
		publish_file(paths_.store + "/store-id", bytes_of(to_hex(format_.store_id) + "\n"));
		store_.emplace(paths_);
	}

	bool is_known() const
	{
		const RootHistory roots = store_->roots();
		if (range().last > roots.size())
			return false;
		for (std::uint64_t i = range().first; i <= range().last; i++)
			if (roots.at(i).layer_id != layer_id(i))
				return false;
		return true;
	}

	// Each state follows on the one before it, and the first one on the newest of the store.
	void check_history()
	{
		const RootHistory roots = store_->roots();
		if (range().first > roots.size() + 1)
			throw Error("the states begin with @" + std::to_string(range().first) + ", and the store has @" +
				std::to_string(roots.size()) + "; import the states between first");
		if (range().first <= roots.size())
			throw NegativeAnswer("the store has @" + std::to_string(range().first) + " to @" +
				std::to_string(roots.size()) + " already, or other states in their place; 'dig export --since=@" +
				std::to_string(roots.size()) + "' gives those behind them");
		MerklePeaks peaks = store_->peaks();
		Digest root = roots.tip_root();
		records_.clear();
		for (std::uint64_t i = range().first; i <= range().last; i++) {
			const LayerHeader header = state(i).header;
			if (header.generation != i || header.store_id != format_.store_id ||
				header.chunking != format_.chunking.digest())
				throw CorruptError("@" + std::to_string(i) + " is not a state of this store");
			if (header.parent_root != root)
				throw NegativeAnswer("@" + std::to_string(i) + " was made over another state than the store has");
			peaks.append(leaf_hash(header.id()));
			root = root_of(peaks);
			records_.push_back({header.id(), root});
		}
	}

	// --- content ----------------------------------------------------------------------

	void check_content()
	{
		dropped_ = layer_->is_merged() ? layer_->dropped() : std::vector<GenerationRange>();
		if (is_lazy_)
			return layer_->check_structure();
		IncomingLayer incoming(*store_, *layer_);
		incoming.check_blocks(work_);
		std::uint64_t last = last_whole();
		for (std::uint64_t i = range().first; i <= range().last; i++) {
			if (is_dropped(i))
				continue;
			incoming.require(last < range().first ? store_->manifest(last) : tree_of(last), tree_of(i));
			last = i;
		}
	}

	// The newest state of the store that has content, or 0.
	std::uint64_t last_whole() const
	{
		std::uint64_t last = store_->roots().size();
		while (last > 0 && store_->layer_table()->is_dropped(last))
			last--;
		return last;
	}

	bool is_dropped(std::uint64_t generation) const
	{
		return std::any_of(dropped_.begin(), dropped_.end(), [&](const GenerationRange &dropped) {
			return dropped.first <= generation && generation <= dropped.last;
		});
	}

	TreeRoot tree_of(std::uint64_t generation) const
	{
		const LayerHeader header = state(generation).header;
		return {header.manifest_root, header.entries, header.bytes};
	}

	// --- the end ----------------------------------------------------------------------

	void publish(PublishedFile &target)
	{
		const bool is_merged = layer_->is_merged();
		const MergedLayer merged{range(), layer_->pack_id()};
		target.publish_as(is_merged ? paths_.merged_layer(merged.pack_id) : paths_.layer(layer_->id()));
		RootHistory longer = store_->roots();
		std::vector<RootHistory::Record> all;
		for (std::uint64_t i = 1; i <= longer.size(); i++)
			all.push_back(longer.at(i));
		all.insert(all.end(), records_.begin(), records_.end());
		longer = RootHistory::of(std::move(all));
		publish_file(paths_.roots(), longer.encoded());
		store_->refresh();
		if (is_merged) {
			LayerTable table = *store_->layer_table();
			table.merge(merged);
			for (std::uint64_t i = range().first; i <= range().last; i++)
				if (is_dropped(i))
					table.drop(i);
			publish_table(paths_, table);
			store_->refresh();
		}
		make_directory(paths_.chunk_index());
		try {
			ChunkIndex::update(paths_.chunk_index(), longer, *store_->layer_table(),
				[&](std::uint64_t generation) { return store_->layer(generation); });
			note_states(paths_, longer.size(), [&](std::uint64_t generation) { return store_->state(generation); });
		} catch (const SystemError &) {
			// Both are derived.
		}
	}

	StorePaths paths_;
	Work &work_;
	bool is_lazy_;
	std::unique_ptr<Layer> layer_;
	std::optional<Store> store_;
	StoreFormat format_; // as it is to be
	bool is_another_store_ = false;
	std::vector<RootHistory::Record> records_;
	std::vector<GenerationRange> dropped_;
};

ImportResult import_layer(const StorePaths &paths, const File &file, Work &work)
{
	return Import(paths, work, false).run(file);
}

ImportResult import_lazy_layer(const StorePaths &paths, const File &file, Work &work)
{
	return Import(paths, work, true).run(file);
}

} // namespace dig
