// Which bytes of a file differ between two states, from its chunk lists alone.
//
// What is told is a patch of the old file.  Each range is one of the new file, and is either replaced
// in place, or has content that the old file has at another offset.  What no range covers is the same
// at the same offset.  Ranges come in the order of the new file, and do not overlap.
#ifndef DIG_RANGE_DIFF_H
#define DIG_RANGE_DIFF_H

#include <functional>

#include "libdig/chunking/chunker.h"
#include "libdig/format/search_tree.h"

namespace dig {

struct ChangedRange {
	enum class Kind : std::uint8_t {
		replaced, // offset equals new_offset; sizes are equal, except where one of the files ends
		moved,    // size equals new_size; the content is that of the old file at offset
	};
	// Of the old file, and of the new one.  The new size is 0 only where the old file is longer: in the
	// last range then, which tells what is cut off.  The old size is what is overwritten.
	std::uint64_t offset = 0, size = 0, new_offset = 0, new_size = 0;
	Kind kind = Kind::replaced;

	bool operator==(const ChangedRange &) const = default;
};

// "OFFSET SIZE NEW-OFFSET NEW-SIZE KIND", as dig-diff-roots prints it.
std::string range_record(const ChangedRange &range);

// Nodes, and chunks, which may be missing.
using ChunkContent = std::function<std::optional<Buffer>(const Digest &id)>;
struct ContentSource {
	NodeSource nodes;
	ChunkContent chunks;
};

// Calls found for each range, in order; ranges begin and end at cuts of one of the lists.  parameters say
// how large a chunk of zeros is, so that holes are compared by their bytes; for that, one or two chunks
// are read at the end of a hole in which something changed, and no others.  Reads nodes in proportion to
// what differs, some twice, and takes up to about 16 MiB and some chunks.  Moved content is found where
// both files have it in the same order, and among the first 65,536 chunks of the old file that are
// elsewhere; what else has moved counts as replaced.
void diff_chunk_lists(const TreeRoot &before, const TreeRoot &after, const ContentSource &source,
	const ChunkingParameters &parameters, const std::function<void(const ChangedRange &)> &found);

} // namespace dig

#endif
