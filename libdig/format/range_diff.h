// Which bytes of a file differ between two states, from its chunk lists alone.
#ifndef DIG_RANGE_DIFF_H
#define DIG_RANGE_DIFF_H

#include <functional>

#include "libdig/format/search_tree.h"

namespace dig {

// size bytes at offset before became new_size bytes at new_offset.
struct ChangedRange {
	std::uint64_t offset, size, new_offset, new_size;
};

// Calls found for each range, in order; ranges begin and end at cuts.  Reads nodes in proportion
// to what differs.
void diff_chunk_lists(const TreeRoot &before, const TreeRoot &after, const NodeSource &source,
	const std::function<void(const ChangedRange &)> &found);

} // namespace dig

#endif
