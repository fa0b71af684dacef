// What is lost is known by digest, so that a source is right or wrong, whatever it is called.
//
// First, each layer file is read: its damaged blocks say which items are lost, and a file that cannot be
// read at all has lost what nobody can tell yet.  Then the states are walked: what they need and no layer has
// is lost, too, and the paths that need it are where a directory is searched first; after that come files of
// the same size, and at last all files.  A file is cut as the store cuts it.  If its list or one of its
// chunks is lost, its parts are taken.
//
// A lost manifest cannot be found anywhere, but it can be made: the state before it, changed by what the
// index or a later state says of the paths whose content is lost.  The header of the lost layer, which the
// state log has a second time, names the root that must come out.
//
// What was found lies in a file without a name, and goes into the layer file that is made anew.
#include "libdig/verbs/heal.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/verbs/dropped_files.h"
#include "libdig/verbs/heal_sources.h"
#include "libdig/verbs/layer_merger.h"
#include "libdig/verbs/layer_swap.h"
#include "libdig/verbs/lost_manifests.h"

namespace dig {

class Healing {
public:
	Healing(const StorePaths &paths, const HealOptions &options) : paths_(paths), options_(options) {}

	HealResult run()
	{
		const Lock gc = Lock::acquire(paths_.gc_lock());
		make_directory(paths_.tmp());
		store_.emplace(paths_);
		items_.emplace(*store_, temporary_directory());
		items_->look_for_damage(*options_.work, options_.notice);
		if (!items_->broken_homes().empty()) {
			for (const std::uint64_t home : items_->broken_homes())
				make_tables_anew(home);
			items_.emplace(*store_, temporary_directory());
			items_->look_for_damage(*options_.work, nullptr);
		}
		items_->walk_states();
		if (items_->hurt_homes().empty() && items_->lost_count() == 0)
			return {};
		options_.work->begin_stage("search");
		HealSources sources(*items_, options_);
		sources.find_headers();
		// Each round finds what the next one needs to go further down.
		for (std::size_t before = ~std::size_t(0); before != items_->found().size();) {
			before = items_->found().size();
			make_lost_manifests(*items_, options_.notice);
			items_->walk_states();
			sources.search();
		}
		remove_abandoned(paths_.layers(), "merging");
		has_stored_ = items_->found().size() == 0;
		for (const auto &[home, hurt] : items_->hurt_homes())
			if (hurt.is_lost ? has_manifests(home) || !has_stored_ : !has_stored_)
				make_anew(home, hurt);
		// What is nowhere needs no place of its own.
		if (!has_stored_)
			if (const std::uint64_t home = smallest_home())
				make_anew(home, {});
		return {items_->lost_count(), items_->found().size()};
	}

private:
	// --- sources ----------------------------------------------------------------------------------

	// --- the files -------------------------------------------------------------------------------

	// Whether the states of a lost file can be entered.
	bool has_manifests(std::uint64_t home)
	{
		const MergedLayer *const merged = store_->layer_table()->find(home);
		for (std::uint64_t i = merged ? merged->range.first : home; i <= home; i++) {
			if (store_->layer_table()->is_dropped(i))
				continue;
			try {
				const Digest root = store_->state(i).header.manifest_root;
				if (root != empty_root(TreeKind::manifest) && !items_->find_node(root))
					return false;
			} catch (const CorruptError &) {
				return false;
			}
		}
		return true;
	}

	std::uint64_t smallest_home()
	{
		const LayerTable table = *store_->layer_table();
		std::uint64_t best = 0, size = ~std::uint64_t(0);
		for (std::uint64_t i = 1; i <= store_->roots().size(); i = table.home(i) + 1)
			try {
				if (const std::uint64_t own = store_->layer(i)->file_size(); own < size) {
					size = own;
					best = table.home(i);
				}
			} catch (const CorruptError &) {
				// Lost.
			}
		return best;
	}

	// The tables of a layer follow from its blocks.  The file stays as it is where one of these cannot be
	// decoded: it may be found again by somebody who knows more.
	void make_tables_anew(std::uint64_t home)
	{
		const std::shared_ptr<Layer> layer = store_->layer(home);
		PublishedFile target(paths_.layers() + "/merging");
		LayerMerger merger(*store_, target.file(), layer->generations(), merge_options());
		try {
			Decompressor decompressor;
			for (std::uint32_t number = 0; number < layer->block_count(); number++) {
				const StoredBlock block = layer->read_block(number);
				Buffer raw(block.shape.raw_size);
				decode_block(block, decompressor, raw, layer->name(), 0);
				std::size_t at = 0;
				for (std::size_t i = 0; i < block.shape.sizes.size(); at += block.shape.sizes[i++]) {
					const Bytes item = Bytes(raw).subspan(at, block.shape.sizes[i]);
					if (const std::optional<Digest> digest = item_digest(block.shape.kind, item))
						merger.add(block.shape.kind, *digest, item);
				}
			}
		} catch (const CorruptError &error) {
			if (options_.notice)
				options_.notice(std::string(error.what()) + "; the file cannot be made anew from its blocks, and stays "
					"as it is");
			return;
		}
		put_in_place(layer->generations(), layer->name(), false, merger, target);
	}

	void make_anew(std::uint64_t home, const LostItems::Hurt &hurt)
	{
		const LayerTable now = *store_->layer_table();
		const MergedLayer *const merged = now.find(home);
		const GenerationRange range = merged ? merged->range : GenerationRange{home, home};
		const std::string name = merged ? paths_.merged_layer(merged->pack_id)
						: paths_.layer(store_->roots().at(home).layer_id);
		try {
			for (std::uint64_t i = range.first; i <= range.last; i++)
				store_->state(i);
		} catch (const CorruptError &) {
			if (options_.notice)
				options_.notice(quote(name) + " cannot be made anew: nothing tells any more what it said of its state");
			return;
		}
		PublishedFile target(paths_.layers() + "/merging");
		LayerMerger merger(*store_, target.file(), range, merge_options());
		if (!hurt.is_lost)
			take_good_blocks(home, hurt, merger);
		// All that was found goes into the first of them.
		if (!has_stored_)
			items_->found().each([&](ItemKind kind, const Digest &digest, const Buffer &bytes) {
				merger.add(kind, digest, bytes);
			});
		has_stored_ = true;
		put_in_place(range, name, hurt.is_lost, merger, target);
	}

	MergeOptions merge_options() const
	{
		MergeOptions merge;
		merge.least_live = 0;
		merge.directory = paths_.tmp();
		const BlockCompression compression = late_compression_of(store_->settings());
		merge.codec = compression.codec;
		merge.level = compression.level;
		return merge;
	}

	void put_in_place(const GenerationRange &range, const std::string &name, bool is_lost, LayerMerger &merger,
		PublishedFile &target)
	{
		const Lock lock = Lock::acquire(paths_.lock());
		store_->refresh();
		LayerTable table = *store_->layer_table();
		const LayerMerger::Result made = merger.finish(table.dropped(), table.epoch() + 1);
		LayerSwap swap(*store_, {range, made.pack_id});
		swap.publish_file(target);
		// dig gc --undo would bring the damage back.
		if (find_stat(paths_.dropped()))
			DroppedFiles(paths_).forget();
		swap.replace(table);
		if (find_stat(name)) {
			const DroppedFiles files(paths_);
			const std::string file = name.substr(name.rfind('/') + 1);
			is_lost ? files.set_aside(file) : files.take_out(file);
			files.sync();
		}
		store_->reload();
		swap.follow();
		if (options_.healed)
			options_.healed("the layer of @" + std::to_string(range.first) +
				(range.last > range.first ? " to @" + std::to_string(range.last) : std::string()) + " was made anew");
	}

	void take_good_blocks(std::uint64_t home, const LostItems::Hurt &hurt, LayerMerger &merger)
	{
		const std::shared_ptr<Layer> layer = store_->layer(home);
		for (std::uint32_t block = 0; block < layer->block_count(); block++) {
			if (std::binary_search(hurt.blocks.begin(), hurt.blocks.end(), block))
				continue;
			std::vector<std::uint16_t> items(layer->block(block).items);
			for (std::size_t i = 0; i < items.size(); i++)
				items[i] = static_cast<std::uint16_t>(i);
			merger.take(layer, block, std::move(items));
		}
		// What is good in damaged blocks.
		RunRecords records = layer->records(home);
		while (const std::optional<RunRecord> record = records()) {
			if (!std::binary_search(hurt.blocks.begin(), hurt.blocks.end(), record->block))
				continue;
			const ItemKind kind = static_cast<ItemKind>(record->kind);
			if (items_->is_known_lost(kind, record->digest))
				continue;
			if (const std::optional<Buffer> bytes = store_->find_item_bytes(kind, record->digest))
				merger.add(kind, record->digest, *bytes);
		}
	}

	StorePaths paths_;
	const HealOptions &options_;
	std::optional<Store> store_;
	std::optional<LostItems> items_;
	bool has_stored_ = false;
};

HealResult heal_store(const StorePaths &paths, const HealOptions &options) { return Healing(paths, options).run(); }

} // namespace dig
