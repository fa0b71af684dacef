// Which chunks of the content that a file is going to get it has already, at their offsets.
#ifndef DIG_OLD_CONTENT_H
#define DIG_OLD_CONTENT_H

#include <optional>

#include "libdig/store/read_pipeline.h"

namespace dig {

class OldContent {
public:
	// file is open for reading.  root is the root of its content, if that is known without reading: then
	// chunk lists are compared, else its bytes are read and hashed.
	OldContent(Store &store, const File &file, const std::optional<Digest> &root);

	bool is_known() const { return cursor_.has_value(); }
	// How many copies of the chunk are known to follow each other from its offset on; at most `most`.
	// Calls come in the order of offsets, by one thread.
	std::uint64_t known_count(const ContentChunk &chunk, std::uint64_t most);
	// Whether the chunk lies at its offset, by reading; scratch has room for it.  Any thread.
	bool has(const ContentChunk &chunk, MutableBytes scratch) const;

private:
	const File &file_;
	std::optional<TreeCursor> cursor_;
};

// Whether the file has these bytes at the offset.
bool has_bytes(const File &file, Bytes bytes, std::uint64_t offset);

} // namespace dig

#endif
