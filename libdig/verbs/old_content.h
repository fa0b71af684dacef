// Which parts of its new content a file on disk has already.
#ifndef DIG_OLD_CONTENT_H
#define DIG_OLD_CONTENT_H

#include <optional>

#include "libdig/store/read_pipeline.h"

namespace dig {

class OldContent {
public:
	// file is open for reading.  root is the file root of its content, if that is known without
	// reading the file.  With it, two chunk lists are compared; without it, the file's bytes with
	// digests.
	OldContent(Store &store, const File &file, const std::optional<Digest> &root);

	bool is_known() const { return cursor_.has_value(); }
	// How many times the chunk is known to stand at its offset, one copy behind the other; at most so
	// many.  Only if is_known().  To be called in the order of offsets, by one thread.
	std::uint64_t known_count(const ContentChunk &chunk, std::uint64_t most);
	// Whether the file has the chunk at its offset, found out by reading.  scratch has room for the
	// chunk.  Any thread.
	bool has(const ContentChunk &chunk, MutableBytes scratch) const;

private:
	const File &file_;
	std::optional<TreeCursor> cursor_;
};

// Whether the file has these bytes at the offset.
bool has_bytes(const File &file, Bytes bytes, std::uint64_t offset);

} // namespace dig

#endif
