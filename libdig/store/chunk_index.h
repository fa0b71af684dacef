// Which layer and block holds a chunk or node.  The chunk index inside each layer is the truth;
// .dig/chunk-index holds merged runs of many layers, so that a look-up asks O(log layers) places.
//
// A run counts for as long as the root is there that it was made of.  Others, as are left where an
// older store was put back over a newer one, are hints: where nothing better is at hand they say
// where to look first, and nobody believes them.
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
	// layer gives that of a generation.  cache_size bounds what look-ups keep of runs.
	ChunkIndex(const std::string &directory, const RootHistory &roots, LayerSource layer,
		std::size_t cache_size);

	// Where the item is said to be; nothing where no run and no layer without one has it, which is
	// not quite the same as that it is missing.  Any thread.
	std::optional<ItemPlace> find(ItemKind kind, const Digest &digest);
	// Where an item can be relied on to be: its layer can be opened and has it in its own chunk index,
	// in a block that lies in the file.  Any thread; costs little more than find().
	std::optional<ItemPlace> find_sound(ItemKind kind, const Digest &digest);
	// Calls take with each place that a layer itself has for the item, newest first, until it
	// returns true.  Otherwise returns false, or throws what went wrong with a layer or in take.
	bool find_in_layers(ItemKind kind, const Digest &digest, const std::function<bool(const ItemPlace &)> &take);

	// Covers a new generation, merging runs whose sizes are alike.  Not durable, since derived;
	// a crash leaves what was there.  A layer that is damaged is left out.  Under the store's lock.
	static void add_generation(const std::string &directory, const RootHistory &roots,
		const LayerSource &layer);
	// Every byte of every run: CorruptError for the first that is damaged.
	static void check(const std::string &directory);

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
