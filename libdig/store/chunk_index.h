// Which layer and block holds a chunk or node.  The chunk index inside each layer is the truth;
// .dig/chunk-index holds merged runs of many layers, so that a look-up asks O(log layers) places.
//
// A run is valid while the history has the root that the run was made of.  A run of another history,
// as one that is left when an older copy of a store is put back, is a hint: it says where to look
// first, and its answer is always checked.
#ifndef DIG_CHUNK_INDEX_H
#define DIG_CHUNK_INDEX_H

#include <functional>
#include <mutex>

#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_reader.h"
#include "libdig/format/root_history.h"

namespace dig {

struct ItemPlace {
	std::uint64_t generation;
	Layer::Place place;
};

// The layer of a generation; kept open as long as somebody holds it.
using LayerSource = std::function<std::shared_ptr<Layer>(std::uint64_t)>;

class ChunkIndex {
public:
	// layer opens the layer of a generation.  cache_size bounds the pages of runs that are kept.
	ChunkIndex(const std::string &directory, const RootHistory &roots, std::shared_ptr<const LayerTable> table,
		LayerSource layer, std::size_t cache_size);

	// Where the runs, or layers without a run, say that the item is.  An empty result does not prove
	// that it is missing.  Any thread.
	std::optional<ItemPlace> find(ItemKind kind, const Digest &digest);
	// Where an item surely is: its layer can be opened, and the layer's own chunk index has it in a
	// block that lies in the file.  Any thread.  Costs little more than find().
	std::optional<ItemPlace> find_sound(ItemKind kind, const Digest &digest);
	// Asks every layer, newest first, and calls take with each place until take returns true.  False
	// when it never did.  Throws the first failure of a layer or of take.
	bool find_in_layers(ItemKind kind, const Digest &digest, const std::function<bool(const ItemPlace &)> &take);

	// Covers new generations and those whose layer file has changed, and merges runs of similar size.  Not
	// durable, because runs are derived.  A damaged layer is left out.  Under the store's lock.
	static void update(const std::string &directory, const RootHistory &roots, const LayerTable &table,
		const LayerSource &layer);
	// All items in order, each with one place: that in the newest layer.  CorruptError for a layer or a run
	// that is damaged.  Keeps the layers open that have no run.
	static RunRecords all_items(const std::string &directory, const RootHistory &roots, const LayerTable &table,
		const LayerSource &layer);
	// Reads every byte of every run.  CorruptError for the first damaged one.
	static void check(const std::string &directory);
	// Removes the runs that check() would complain of; returns their number.  Under the store's lock.
	static std::size_t remove_damaged(const std::string &directory);

	struct OpenRun {
		std::unique_ptr<ChunkRun> run;
		bool is_hint = false;
	};

private:
	// Of a layer, whether its chunk index may be relied on.
	enum class Trust : std::uint8_t { unknown, sound, unsound };
	struct Found {
		ItemPlace place;
		bool is_hint = false;
	};
	std::optional<Found> search(ItemKind kind, const Digest &digest);
	std::optional<Found> ask(std::vector<std::uint64_t> &generations, ItemKind kind, const Digest &digest);
	Trust look_at(std::uint64_t generation, const Layer &layer);

	LayerSource layer_;
	std::shared_ptr<const LayerTable> table_;
	std::uint64_t generations_;
	std::mutex mutex_;
	std::vector<OpenRun> runs_;
	std::vector<std::uint64_t> uncovered_; // newest first
	std::exception_ptr failure_;           // of a layer that is damaged
	std::vector<Trust> trust_;             // by generation
	std::vector<std::uint32_t> hits_;      // before its trust was known
	std::atomic<std::uint64_t> asked_in_vain_ = 0;
};

} // namespace dig

#endif
