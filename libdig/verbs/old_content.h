// What a file on disk has already of the content that it is to get.
#ifndef DIG_OLD_CONTENT_H
#define DIG_OLD_CONTENT_H

#include <optional>

#include "libdig/store/read_pipeline.h"

namespace dig {

class OldContent {
public:
	// file is open for reading.  root is that of its content, where it is known without reading: then
	// chunk lists are compared, else bytes with digests.
	OldContent(Store &store, const File &file, const std::optional<Digest> &root);

	bool is_known() const { return cursor_.has_value(); }
	// How often the chunk is known to lie at its offset, one behind the other; at most so often.  In
	// the order of offsets, by one thread.
	std::uint64_t known_count(const ContentChunk &chunk, std::uint64_t most);
	// The same by reading; scratch has room for the chunk.  Any thread.
	bool has(const ContentChunk &chunk, MutableBytes scratch) const;

private:
	const File &file_;
	std::optional<TreeCursor> cursor_;
};

// Whether the file has these bytes at the offset.
bool has_bytes(const File &file, Bytes bytes, std::uint64_t offset);

} // namespace dig

#endif
