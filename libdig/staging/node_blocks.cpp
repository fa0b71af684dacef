// Nodes come one at a time while trees are built: those of chunk lists from an add, those of the
// manifest from a commit.  Each has some KiB, so they are collected into blocks, which compress
// better than single nodes and need one record in the journal.
//
// A record of a finished file promises that its content can be read.  So append() takes the blocks
// of chunks, adds those of nodes behind them, and then the records: the journal never names a file
// before its nodes.
//
// Blocks wait in memory for append(), since an add has one moment at which a unit goes to the pack.
// A commit has no such moment: a million paths of 80 bytes make some 100 MB of nodes.  It appends
// blocks as they fill.
#include "libdig/staging/node_blocks.h"

namespace dig {

constexpr std::size_t node_block_size = 256_KiB;
// Nodes are mostly digests, so fewer bytes than these hardly shrink.
constexpr std::size_t least_compressed = 256;
constexpr std::size_t most_waiting_bytes = 4_MiB;

NodeBlocks::NodeBlocks(StagingWriter &writer)
	: writer_(writer), compressor_(block_compressor_of(writer.store().settings()))
{
}

NodeSink NodeBlocks::sink()
{
	return [this](const Digest &id, Bytes stored) { add(id, stored); };
}

void NodeBlocks::add(const Digest &id, Bytes stored)
{
	if (!(is_full_ ? writer_.claim_for_pack(ItemKind::node, id) : writer_.claim(ItemKind::node, id, stored)))
		return;
	dig::append(nodes_, stored);
	sizes_.push_back(static_cast<std::uint32_t>(stored.size()));
	ids_.push_back(id);
	if (nodes_.size() >= node_block_size)
		end_block();
}

void NodeBlocks::end_block()
{
	if (ids_.empty())
		return;
	Buffer room(nodes_.size());
	const BlockPayload stored = nodes_.size() < least_compressed ? BlockPayload{Codec::none, nodes_}
								     : compressor_.compress(nodes_, room);
	// A copy of the size that is needed, because the payload waits.
	Buffer payload(stored.bytes.begin(), stored.bytes.end());
	waiting_bytes_ += payload.size();
	payloads_.push_back(std::move(payload));
	blocks_.push_back({ItemKind::node, stored.codec, std::move(sizes_), std::move(ids_), {}});
	nodes_.clear();
	sizes_.clear();
	ids_.clear();
	if (appends_as_filled_ && waiting_bytes_ >= most_waiting_bytes)
		append({}, {});
}

void NodeBlocks::append(std::span<const ReadyBlock> blocks, Bytes journal_records)
{
	if (blocks_.empty())
		return writer_.append(blocks, journal_records);
	std::vector<ReadyBlock> all(blocks.begin(), blocks.end());
	for (std::size_t i = 0; i < blocks_.size(); i++) {
		all.push_back(std::move(blocks_[i]));
		all.back().payload = payloads_[i];
	}
	writer_.append(all, journal_records);
	blocks_.clear();
	payloads_.clear();
	waiting_bytes_ = 0;
}

} // namespace dig
