// Packs are objects that never change, so a part of one that is here is right or wrong for good.  They come in
// ranges.  From all packs and records a merged layer is made, which is imported like any other file that came
// from elsewhere: nothing that the remote says is believed.
#include "libdig/remote/fetch.h"

#include <algorithm>
#include <numeric>

#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/verbs/import_layer.h"
#include "libdig/verbs/layer_merger.h"

namespace dig {

constexpr std::uint64_t range_size = 16_MiB;

class Fetch {
public:
	Fetch(const StorePaths &paths, RemoteObjects &objects, const FetchOptions &options)
		: paths_(paths), options_(options), work_(*options.work), remote_(objects), store_(paths)
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
	// Nothing is new; but it may be another history.
	void compare_newest(const RootHistory &roots)
	{
		if (roots.size() == 0)
			return;
		const std::optional<RootRecord> record = remote_.record(roots.size());
		if (record && record->state.header.id() != roots.at(roots.size()).layer_id)
			throw parted(roots.size());
	}

	static NegativeAnswer parted(std::uint64_t generation)
	{
		return NegativeAnswer("the remote has another @" + std::to_string(generation) +
			" than this store: both have gone on from a common state");
	}

	void read_records(const RootHistory &roots)
	{
		work_.begin_stage("fetch");
		Digest last = roots.tip_root();
		for (std::uint64_t i = result_.range.first; i <= result_.range.last; i++) {
			check_interrupted();
			std::optional<RootRecord> record = remote_.record(i);
			if (!record)
				throw Error("the record of @" + std::to_string(i) + " is gone from the remote");
			const LayerHeader &header = record->state.header;
			if (header.store_id != description_.store_id)
				throw CorruptError("the record of @" + std::to_string(i) + " is of another store");
			if (header.parent_root != last) {
				if (i == result_.range.first)
					throw parted(roots.size());
				throw CorruptError("the record of @" + std::to_string(i) + " does not follow on the one before");
			}
			last = record->root;
			for (const RootRecord::Pack &pack : record->packs)
				if (std::find(packs_.begin(), packs_.end(), pack) == packs_.end())
					packs_.push_back(pack);
			record->packs.clear();
			records_.push_back(std::move(*record));
		}
		for (const RootRecord::Pack &pack : packs_) {
			const std::optional<FileStat> stat = find_stat(path_of(pack));
			const std::uint64_t here = stat ? std::min(stat->size, pack.size) : 0;
			result_.kept += here;
			result_.bytes += pack.size - here;
		}
	}

	// --- packs ------------------------------------------------------------------------

	std::string path_of(const RootRecord::Pack &pack) const { return paths_.tmp() + "/fetch-" + to_hex(pack.id); }

	void bring()
	{
		make_directory(paths_.tmp());
		work_.begin_stage("fetch", {.bytes = result_.bytes});
		for (const RootRecord::Pack &pack : packs_)
			bring_pack(pack);
		const File built = File::temporary_in(paths_.tmp());
		build(built);
		import_layer(paths_, built, work_);
		for (const RootRecord::Pack &pack : packs_)
			remove_file_if_there(path_of(pack));
	}

	void bring_pack(const RootRecord::Pack &pack)
	{
		const File file = File::open_with(path_of(pack), O_RDWR | O_CREAT);
		std::uint64_t at = file.size();
		if (at > pack.size)
			file.truncate(at = 0);
		while (at < pack.size) {
			check_interrupted();
			const std::uint64_t wanted = std::min(range_size, pack.size - at);
			const std::optional<RemoteObjects::Part> part = remote_.objects().get(pack_key(pack.id), at, wanted);
			if (!part)
				throw Error("the pack " + to_hex(pack.id) + " is gone from the remote");
			if (part->total != pack.size || part->bytes.size() != wanted)
				throw CorruptError("the pack " + to_hex(pack.id) + " has another size than its record says");
			file.write_at(part->bytes, at);
			at += wanted;
			work_.bytes.add(wanted);
		}
	}

	// A pack that is wrong is not kept.
	std::shared_ptr<Layer> open_pack(const RootRecord::Pack &pack) const
	{
		try {
			auto layer = std::make_shared<Layer>(path_of(pack));
			if (!layer->is_pack() || layer->pack_id() != pack.id)
				throw CorruptError("the pack " + to_hex(pack.id) + " is another one than its key says");
			layer->check_structure();
			return layer;
		} catch (const CorruptError &) {
			remove_file_if_there(path_of(pack));
			throw;
		}
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
		merge.state = [&](std::uint64_t generation) { return records_.at(generation - result_.range.first).state; };
		merge.directory = paths_.tmp();
		LayerMerger merger(store_, file, result_.range, merge);
		for (const RootRecord::Pack &pack : packs_) {
			const std::shared_ptr<Layer> layer = open_pack(pack);
			for (std::uint32_t i = 0; i < layer->block_count(); i++) {
				std::vector<std::uint16_t> items(layer->block(i).items);
				std::iota(items.begin(), items.end(), std::uint16_t(0));
				take_block(merger, layer, pack, i, std::move(items));
			}
		}
		merger.finish(dropped(), 0);
	}

	void take_block(LayerMerger &merger, const std::shared_ptr<Layer> &layer, const RootRecord::Pack &pack,
		std::uint32_t block, std::vector<std::uint16_t> items)
	{
		try {
			merger.take(layer, block, std::move(items));
		} catch (const CorruptError &) {
			remove_file_if_there(path_of(pack));
			throw;
		}
	}

	StorePaths paths_;
	const FetchOptions &options_;
	Work &work_;
	RemoteStore remote_;
	Store store_;
	RemoteDescription description_;
	std::vector<RootRecord> records_;
	std::vector<RootRecord::Pack> packs_;
	FetchResult result_;
};

FetchResult fetch_states(const StorePaths &paths, RemoteObjects &objects, const FetchOptions &options)
{
	return Fetch(paths, objects, options).run();
}

} // namespace dig
