#include "libdig/ingest/ingest_sink.h"

namespace dig {

// Most files are one chunk, and whoever adds them wants no tree of it.
void Source::append_to_tree(std::span<const ChunkRef> chunks, const NodeSink &nodes)
{
	if (chunks.empty())
		return;
	if (!has_chunks() && chunks.size() == 1 && chunks[0].count == 1) {
		only_size = chunks[0].size;
	} else {
		TreeBuilder &to = get_tree(nodes);
		for (const ChunkRef &chunk : chunks)
			to.append_chunks(chunk.id, chunk.size, chunk.count);
	}
	last_chunk = chunks.back().id;
}

TreeBuilder &Source::get_tree(const NodeSink &nodes)
{
	if (!tree) {
		tree = std::make_shared<TreeBuilder>(TreeKind::chunk_list, nodes);
		if (only_size > 0)
			tree->append_chunk(last_chunk, only_size);
		only_size = 0;
	}
	return *tree;
}

Digest Source::finish_tree(const NodeSink &nodes)
{
	return has_chunks() ? get_tree(nodes).finish().id : empty_root(TreeKind::chunk_list);
}

} // namespace dig
