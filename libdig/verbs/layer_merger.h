// Makes one layer file of the needed parts of several.
#ifndef DIG_LAYER_MERGER_H
#define DIG_LAYER_MERGER_H

#include "libdig/chunking/block_compressor.h"
#include "libdig/format/section_writer.h"
#include "libdig/verbs/reachability.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct MergeOptions {
	// Blocks of which a smaller share is needed are made anew, without the rest.  1: all that are not
	// needed whole; more than 1: all, and what stands in two blocks is kept once.
	double least_live = 0.5;
	std::uint8_t told_level = 0; // Packing::level of the file; blocks of files with that level are copied
	Codec codec = Codec::zstd; // of blocks that are made anew
	int level = 0;
	std::size_t block_size = 512_KiB; // bytes of content of a block that is made anew, if there is so much
	// As a layer of one generation, over these peaks, and not as a merged layer.
	std::optional<MerklePeaks> peaks_before;
	bool is_pack = false; // without what says something of states
	bool is_full = false; // it has all that its state needs
	// Called for each block of items that were added, in the order of the file.
	std::function<void(ItemKind kind, std::span<const Digest> items, std::uint32_t number, const BlockRecord &record)>
		placed;
	// Of the section, if there is to be one; asked at the end.
	std::function<Buffer(std::uint64_t items)> hints;
	// What a state says of itself; without the function, the store is asked.
	std::function<LayerState(std::uint64_t generation)> state;
	std::optional<ChunkingParameters> chunking; // written into the file, which is to be read without its store
	std::string directory; // for what does not fit into memory
	Work *work = &unseen_work();
};

// The blocks come in order: generations, and blocks in each.  Every item is compared with its digest
// before it is written.  Takes about 40 MiB at most.
class LayerMerger {
public:
	// Appends to file.  One that is not open is only counted: the sizes are the same.
	LayerMerger(Store &store, const File &file, const GenerationRange &range, const MergeOptions &options);
	~LayerMerger();

	// A block of a layer, of which these items are needed, ascending.  CorruptError when the block is
	// damaged.
	void take(const std::shared_ptr<Layer> &layer, std::uint32_t block, std::vector<std::uint16_t> live);

	// Reads and compares what was taken so far.
	void flush() { run_batch(); }

	// An item that was found elsewhere.
	void add(ItemKind kind, const Digest &digest, Bytes bytes);
	// What was added so far is written; the next item begins a block.
	void end_block();

	struct Result {
		Digest pack_id;
		std::uint64_t size = 0; // of the file
		std::uint64_t copied_bytes = 0, remade_bytes = 0; // of blocks as they are stored
		std::uint64_t items = 0;
	};
	// Writes the sections.  dropped and epoch are what the table will say.
	Result finish(const std::vector<GenerationRange> &dropped, std::uint64_t epoch);

private:
	struct Input;
	struct Output;

	const Packing &packing_of(const std::shared_ptr<Layer> &layer);
	void run_batch();
	void take_items(const Input &input);
	void take_item(ItemKind kind, const Digest &digest, Bytes item);
	void end_blocks();
	void write_outputs();
	void write(Output &output);
	void write_if_enough();
	void each(std::size_t count, const std::function<void(std::size_t, std::size_t)> &job) const;

	Store &store_;
	const File &file_;
	GenerationRange range_;
	MergeOptions options_;
	std::size_t threads_;
	std::uint64_t offset_;
	std::uint32_t blocks_ = 0;
	std::vector<Input> batch_;
	std::uint64_t batch_bytes_ = 0;
	// A block that is being made, one for each kind.
	struct Pending {
		Buffer raw;
		std::vector<std::uint32_t> sizes;
		std::vector<Digest> digests;
	};
	Pending pending_[2];
	std::vector<Output> outputs_;
	std::vector<std::unique_ptr<BlockCompressor>> compressors_;
	RecordSorter<ChunkRecord> items_;
	ItemSet taken_; // by blocks that are made anew
	std::shared_ptr<Layer> last_layer_;
	Packing last_packing_;
	Buffer table_; // of blocks
	File table_file_;
	std::uint64_t table_size_ = 0;
	Result result_;
};

} // namespace dig

#endif
