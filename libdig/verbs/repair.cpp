// The roots follow from the layers: a layer has its generation, the root before it, and the peaks of all
// layer ids before it.  So the history is found again by a walk from one generation to the next.
//
// What is left of the damaged file comes first.  A record whose root follows from the layer ids up to
// it cannot be wrong, whether its layer is there or not.  Where a record does not help, the layers say
// what comes next.  A layer that is missing and that no record names ends the repair if there are
// layers behind it, since their roots depend on its id.
//
// A commit that was interrupted may have left a layer that belongs to no state.  It has no successor,
// so that it is told from a state that has one.  At the end of the history nothing tells them apart
// but the file: if it is as long as its count says, what is behind its last record is no state.
// Otherwise the layer becomes a state; it is a whole commit, and nothing is lost by it.
#include "libdig/verbs/repair.h"

#include <algorithm>
#include <set>

#include "libdig/format/root_history.h"
#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/publish.h"
#include "libdig/store/chunk_index.h"
#include "libdig/store/store.h"
#include "libdig/verbs/layer_swap.h"

namespace dig {

class Repair {
public:
	Repair(const StorePaths &paths, const RepairOptions &options) : paths_(paths), options_(options) {}

	void run()
	{
		const Lock lock = Lock::acquire(paths_.lock());
		check_id();
		check_table();
		check_roots();
		check_runs();
	}

private:
	struct Candidate {
		Digest id;
		std::uint64_t generation;
		Digest parent_root, root;
		std::int64_t time_s;
	};

	// The format has the id, too, under its checksum.
	void check_id()
	{
		const Buffer file = read_whole_file(paths_.format(), max_small_file);
		const StoreFormat format = StoreFormat::decode(file, paths_.format());
		store_id_ = format.store_id;
		has_table_ = format.has_layer_table;
		const std::string text = to_hex(store_id_) + "\n", path = paths_.store + "/store-id";
		const std::optional<Buffer> there = find_whole_file(path, max_small_file);
		if (there && text_of(*there) == text)
			return;
		publish_file(path, bytes_of(text));
		options_.repaired("store-id was made from 'format'");
	}

	// The merged layers say which generations they have and what was dropped; of two that have the same
	// ones, the newer one counts, unless all that it was made of is there.
	void check_table()
	{
		const std::optional<Buffer> file = find_whole_file(paths_.layer_table(), max_layer_table_size);
		std::optional<LayerTable> there;
		try {
			if (file)
				there = LayerTable::decode(*file, paths_.layer_table());
		} catch (const CorruptError &) {
			// It is made anew.
		}
		const std::vector<std::pair<std::uint64_t, std::string>> merged = merged_layers();
		if (there ? is_current(*there, merged) : !file && !has_table_ && merged.empty()) {
			last_merged_ = there && !there->merged().empty() ? there->merged().back().range.last : 0;
			return;
		}
		make_table(merged, file);
	}

	// An old copy names files that are not there, and newer ones are.
	bool is_current(const LayerTable &table, const std::vector<std::pair<std::uint64_t, std::string>> &merged) const
	{
		const bool has_newer = std::any_of(merged.begin(), merged.end(),
			[&](const auto &layer) { return layer.first > table.epoch(); });
		if (!has_newer)
			return true;
		for (const auto &[epoch, name] : merged) {
			const Layer layer(paths_.layers() + "/" + name);
			for (std::uint64_t i = layer.generations().first; i <= layer.generations().last; i++) {
				const MergedLayer *const one = table.find(i);
				if (!find_stat(one ? paths_.merged_layer(one->pack_id) : paths_.layer(layer.state(i).header.id())))
					return false;
			}
		}
		return true;
	}

	// By their epochs.
	std::vector<std::pair<std::uint64_t, std::string>> merged_layers() const
	{
		std::vector<std::pair<std::uint64_t, std::string>> layers;
		for (const std::string &name : names_in(paths_.layers())) {
			if (!name.ends_with(".merged"))
				continue;
			try {
				const Layer layer(paths_.layers() + "/" + name);
				if (layer.is_merged() && layer.state(layer.generations().first).header.store_id == store_id_)
					layers.emplace_back(layer.epoch(), name);
			} catch (const CorruptError &error) {
				options_.notice(error.what());
			}
		}
		std::sort(layers.begin(), layers.end());
		return layers;
	}

	void make_table(const std::vector<std::pair<std::uint64_t, std::string>> &layers, const std::optional<Buffer> &file)
	{
		LayerTable table = LayerTable::of(layers.empty() ? 0 : layers.back().first);
		for (const auto &[epoch, name] : layers) {
			const Layer layer(paths_.layers() + "/" + name);
			table.set_dropped(layer.dropped());
			if (!is_needless(layer, table))
				table.merge({layer.generations(), layer.pack_id()});
		}
		const std::string kept = file ? keep_damaged("layer-table", *file) : std::string();
		const std::size_t count = table.merged().size();
		last_merged_ = table.merged().empty() ? 0 : table.merged().back().range.last;
		publish_table(paths_, table);
		options_.repaired("layer-table was made anew: " + std::to_string(count) +
			(count == 1 ? " merged layer" : " merged layers") +
			(file ? "; the damaged file is kept as " + quote(kept) : std::string()));
	}

	// What it was made of is all there still: then nothing says that it was ever put in place.
	bool is_needless(const Layer &layer, const LayerTable &table) const
	{
		for (std::uint64_t i = layer.generations().first; i <= layer.generations().last; i++)
			if (!table.find(i) && !find_stat(paths_.layer(layer.state(i).header.id())))
				return false;
		return true;
	}

	void check_roots()
	{
		const std::optional<Buffer> file = find_whole_file(paths_.roots(), max_roots_size);
		RootHistory::Remains remains;
		if (file) {
			try {
				const RootHistory history = RootHistory::decode(*file, paths_.roots());
				if (history.is_consistent() && history.size() >= last_merged_)
					return;
			} catch (const CorruptError &) {
			}
			remains = RootHistory::salvage(*file);
			// An old copy ends before the last merged layer does.
			remains.is_whole = remains.is_whole && remains.records.size() >= last_merged_;
		}
		const RootHistory found = RootHistory::of(rebuild(remains));
		const std::string kept = file ? keep_damaged("roots", *file) : std::string();
		publish_file(paths_.roots(), found.encoded());
		options_.repaired("roots was made anew: " + std::to_string(found.size()) +
			(found.size() == 1 ? " state" : " states") +
			(file ? "; the damaged file is kept as " + quote(kept) : std::string()));
	}

	// A copy of the damaged file, on storage before that is replaced.
	std::string keep_damaged(const std::string &what, Bytes file) const
	{
		for (unsigned number = 1;; number++) {
			const std::string name = paths_.store + "/damaged-" + what + "-" + std::to_string(number);
			if (find_stat(name))
				continue;
			publish_file(name, file);
			return name;
		}
	}

	std::vector<RootHistory::Record> rebuild(const RootHistory::Remains &remains)
	{
		find_candidates();
		std::vector<RootHistory::Record> records;
		MerklePeaks peaks;
		const auto take = [&](const Digest &layer_id) {
			peaks.append(leaf_hash(layer_id));
			records.push_back({layer_id, root_of(peaks)});
		};
		const auto root_with = [&](const Digest &layer_id) {
			MerklePeaks with = peaks;
			with.append(leaf_hash(layer_id));
			return root_of(with);
		};
		while (!remains.is_whole || records.size() < remains.records.size()) {
			const std::uint64_t generation = records.size() + 1;
			const RootHistory::Record *const hint =
				generation <= remains.records.size() ? &remains.records[generation - 1] : nullptr;
			const Digest tip = records.empty() ? Digest() : records.back().root;
			if (hint && root_with(hint->layer_id) == hint->root)
				take(hint->layer_id);
			else if (const Candidate *next = choose(generation, tip, hint))
				take(next->id);
			else if (hint && has_successor(generation, root_with(hint->layer_id)))
				take(hint->layer_id);
			else
				break;
		}
		require_complete(records);
		return records;
	}

	// Every layer of this store that can be opened, by its generation.
	void find_candidates()
	{
		for (const std::string &name : names_in(paths_.layers())) {
			const std::optional<Digest> id = parse_digest(name.substr(0, name.find('.')));
			const std::string path = paths_.layers() + "/" + name;
			if (!id || (path != paths_.layer(*id) && path != paths_.merged_layer(*id)))
				continue;
			try {
				const Layer layer(path);
				if (layer.is_merged()) {
					take_merged(layer);
					continue;
				}
				const LayerHeader &header = layer.header();
				if (layer.id() != *id || header.store_id != store_id_)
					options_.notice(quote(path) + " is no layer of this store, or has another name; it is left alone");
				else
					candidates_.push_back({*id, header.generation, header.parent_root, layer.root(), header.time_s});
			} catch (const CorruptError &error) {
				options_.notice(error.what());
			}
		}
		std::sort(candidates_.begin(), candidates_.end(),
			[](const Candidate &a, const Candidate &b) { return a.generation < b.generation; });
	}

	void take_merged(const Layer &layer)
	{
		for (std::uint64_t i = layer.generations().first; i <= layer.generations().last; i++) {
			const LayerHeader header = layer.state(i).header;
			if (header.store_id != store_id_)
				continue;
			// Its own root is the parent of the next one, where there is one.
			const Digest root = i < layer.generations().last ? layer.state(i + 1).header.parent_root : Digest();
			candidates_.push_back({header.id(), i, header.parent_root, root, header.time_s});
		}
	}

	std::span<const Candidate> of_generation(std::uint64_t generation) const
	{
		const auto begin = std::partition_point(candidates_.begin(), candidates_.end(),
			[&](const Candidate &candidate) { return candidate.generation < generation; });
		const auto end = std::partition_point(begin, candidates_.end(),
			[&](const Candidate &candidate) { return candidate.generation == generation; });
		return {begin, end};
	}

	bool has_successor(std::uint64_t generation, const Digest &root) const
	{
		const auto next = of_generation(generation + 1);
		return std::any_of(next.begin(), next.end(),
			[&](const Candidate &candidate) { return candidate.parent_root == root; });
	}

	// Of several layers, the one that others were made upon, that the file names, or the newest.
	const Candidate *choose(std::uint64_t generation, const Digest &tip, const RootHistory::Record *hint) const
	{
		const auto rank = [&](const Candidate &candidate) {
			return std::tuple(has_successor(generation, candidate.root), hint && hint->layer_id == candidate.id,
				candidate.time_s);
		};
		const Candidate *best = nullptr;
		for (const Candidate &candidate : of_generation(generation))
			if (candidate.parent_root == tip && (!best || rank(candidate) > rank(*best)))
				best = &candidate;
		return best;
	}

	// Layers that branch off somewhere, as those of an older copy of the store do, are no sign that
	// something is missing; layers that lead back to nothing are.
	void require_complete(std::span<const RootHistory::Record> found) const
	{
		std::set<Digest> known = {Digest()};
		for (const RootHistory::Record &record : found)
			known.insert(record.root);
		for (const Candidate &candidate : candidates_) {
			if (known.contains(candidate.parent_root))
				known.insert(candidate.root);
			else if (candidate.generation > found.size() + 1)
				throw CorruptError("the layer of generation " + std::to_string(found.size() + 1) +
					" is missing, and nothing else tells its id, so that later layers cannot be attached; put it back "
					"into " + quote(paths_.layers()) + " and repair again", paths_.roots(), 0);
		}
	}

	void check_runs()
	{
		Store store(paths_);
		const std::size_t count = ChunkIndex::remove_damaged(paths_.chunk_index());
		if (count == 0)
			return;
		ChunkIndex::update(paths_.chunk_index(), store.roots(), *store.layer_table(),
			[&](std::uint64_t generation) { return store.layer(generation); });
		options_.repaired("the chunk index was made anew: " + std::to_string(count) +
			(count == 1 ? " run was damaged" : " runs were damaged"));
	}

	const StorePaths &paths_;
	const RepairOptions &options_;
	Digest store_id_;
	bool has_table_ = false;
	std::uint64_t last_merged_ = 0; // generation
	std::vector<Candidate> candidates_;
};

void repair_store(const StorePaths &paths, const RepairOptions &options) { Repair(paths, options).run(); }

} // namespace dig
