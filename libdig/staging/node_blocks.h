// Collects tree nodes into blocks, and appends these to the pack with other blocks.
#ifndef DIG_NODE_BLOCKS_H
#define DIG_NODE_BLOCKS_H

#include "libdig/chunking/block_compressor.h"
#include "libdig/staging/staging.h"

namespace dig {

class NodeBlocks {
public:
	explicit NodeBlocks(StagingWriter &writer);

	// A node; one that is stored already is dropped.
	void add(const Digest &id, Bytes stored);
	// For TreeBuilder; this must outlive it.
	NodeSink sink();
	// Nothing that was added waits any more after the next append().
	void end_block();

	// These blocks, those of nodes that are complete, and behind them the journal records.
	void append(std::span<const ReadyBlock> blocks, Bytes journal_records);
	// For a layer that stands alone: what other layers hold is not left out.
	void make_full() { is_full_ = true; }
	// Where nobody else appends meanwhile: blocks go to the pack when there are some MiB of them,
	// and do not wait for append().
	void append_as_filled() { appends_as_filled_ = true; }

private:
	StagingWriter &writer_;
	BlockCompressor compressor_;
	bool is_full_ = false, appends_as_filled_ = false;
	std::size_t waiting_bytes_ = 0; // of payloads_
	Buffer nodes_;
	std::vector<std::uint32_t> sizes_;
	std::vector<Digest> ids_;
	std::vector<ReadyBlock> blocks_;
	std::vector<Buffer> payloads_;
};

} // namespace dig

#endif
