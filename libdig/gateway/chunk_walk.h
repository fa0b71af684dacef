// Which chunks content consists of, as ChunkSequence has it, with nodes that are kept.
#ifndef DIG_CHUNK_WALK_H
#define DIG_CHUNK_WALK_H

#include "libdig/store/kept_nodes.h"
#include "libdig/store/chunk_reader.h"

namespace dig {

// The chunks that an extent touches, in order.
class ChunkWalk {
public:
	ChunkWalk(KeptNodes &nodes, const Entry &entry, const ByteRange::Extent &extent);
	std::optional<ContentChunk> next();

private:
	// The item of the node that comes next.
	struct Frame {
		KeptNodes::NodePointer node;
		std::size_t at = 0;
	};
	void skip_to(std::uint64_t offset);

	KeptNodes &nodes_;
	std::uint64_t end_, offset_ = 0;
	std::optional<ContentChunk> only_;
	std::vector<Frame> frames_;
};

} // namespace dig

#endif
