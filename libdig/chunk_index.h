// Which layer and block holds a chunk or node.  The chunk index inside each layer is the truth;
// .dig/chunk-index holds merged runs of many layers, so that a look-up asks O(log layers) places.
#ifndef DIG_CHUNK_INDEX_H
#define DIG_CHUNK_INDEX_H

#include <functional>
#include <mutex>

#include "libdig/chunk_run.h"
#include "libdig/layer_reader.h"

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
	ChunkIndex(const std::string &directory, std::uint64_t generations,
		LayerSource layer, std::size_t cache_size);

	// Any thread.
	std::optional<ItemPlace> find(ItemKind kind, const Digest &digest);
	// Asks the layers themselves, where a run has turned out to be wrong.
	std::optional<ItemPlace> find_in_layers(ItemKind kind, const Digest &digest);

	// Covers a new generation, merging runs whose sizes are alike.  Not durable, since derived;
	// a crash leaves what was there.  Under the store's lock.
	static void add_generation(const std::string &directory, std::uint64_t generations,
		const LayerSource &layer);
	// Every byte of every run: CorruptError for the first that is damaged.
	static void check(const std::string &directory);

private:
	std::optional<ItemPlace> ask(const std::vector<std::uint64_t> &generations, ItemKind kind,
		const Digest &digest, std::exception_ptr &failure);

	LayerSource layer_;
	std::uint64_t generations_;
	std::mutex mutex_;
	std::vector<std::unique_ptr<ChunkRun>> runs_;
	std::vector<std::uint64_t> uncovered_; // newest first
};

} // namespace dig

#endif
