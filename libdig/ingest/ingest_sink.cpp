#include "libdig/ingest/ingest_sink.h"

namespace dig {

void Source::append_to_tree(std::span<const ChunkRef> chunks, const NodeSink &nodes)
{
	if (chunks.empty())
		return;
	if (!tree)
		tree = std::make_shared<TreeBuilder>(TreeKind::chunk_list, nodes);
	for (const ChunkRef &chunk : chunks)
		tree->append_chunks(chunk.id, chunk.size, chunk.count);
	last_chunk = chunks.back().id;
}

Digest Source::finish_tree()
{
	return tree ? tree->finish().id : empty_root(TreeKind::chunk_list);
}

} // namespace dig
