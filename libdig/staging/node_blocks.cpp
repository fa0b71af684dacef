#include "libdig/staging/node_blocks.h"

namespace dig {

constexpr std::size_t node_block_size = 256_KiB;
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
