#include "libdig/gateway/chunk_walk.h"

#include <utility>

namespace dig {

ChunkWalk::ChunkWalk(KeptNodes &nodes, const Entry &entry, const ByteRange::Extent &extent)
	: nodes_(nodes), end_(extent.offset + extent.size)
{
	if (extent.size == 0 || entry.form == ContentForm::none)
		return;
	if (entry.form == ContentForm::chunk) {
		only_ = ContentChunk{entry.content, entry.size, 0};
		return;
	}
	frames_.push_back({nodes_.root(TreeKind::chunk_list, content_root(entry)), 0});
	skip_to(extent.offset);
}

static std::uint64_t bytes_of_item(const Node &node, std::size_t number)
{
	// Both kinds of items begin with them.
	return load<std::uint64_t>(node.item(number).data());
}

// Down to the chunk that holds the offset.
void ChunkWalk::skip_to(std::uint64_t offset)
{
	for (;;) {
		Frame &frame = frames_.back();
		while (frame.at < frame.node->size() && offset - offset_ >= bytes_of_item(*frame.node, frame.at))
			offset_ += bytes_of_item(*frame.node, frame.at++);
		if (frame.at == frame.node->size() || frame.node->level() == 0)
			return;
		KeptNodes::NodePointer child = nodes_.child(*frame.node, frame.at++);
		frames_.push_back({std::move(child), 0});
	}
}

std::optional<ContentChunk> ChunkWalk::next()
{
	if (only_)
		return std::exchange(only_, std::nullopt);
	while (!frames_.empty() && offset_ < end_) {
		Frame &frame = frames_.back();
		if (frame.at == frame.node->size()) {
			frames_.pop_back();
			continue;
		}
		if (frame.node->level() == 0) {
			const ContentChunk chunk{frame.node->chunk_id(frame.at), frame.node->chunk_size(frame.at), offset_};
			frame.at++;
			offset_ += chunk.size;
			return chunk;
		}
		KeptNodes::NodePointer child = nodes_.child(*frame.node, frame.at++);
		frames_.push_back({std::move(child), 0});
	}
	return {};
}

} // namespace dig
