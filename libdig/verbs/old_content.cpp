#include "libdig/verbs/old_content.h"

namespace dig {

OldContent::OldContent(Store &store, const File &file, const std::optional<Digest> &root) : file_(file)
{
	if (!root || *root == empty_root(TreeKind::chunk_list))
		return;
	try {
		cursor_.emplace(TreeKind::chunk_list, *root, store.nodes());
	} catch (const CorruptError &) {
		// A file of one chunk has no list.  A list that is lost costs no more than reading the file.
	}
}

std::uint64_t OldContent::known_count(const ContentChunk &chunk, std::uint64_t most)
{
	// The cursor goes forward only, hence the order of the calls.
	cursor_->seek_offset(chunk.offset);
	if (cursor_->at_end() || cursor_->offset() != chunk.offset || cursor_->chunk_id() != chunk.id)
		return 0;
	return most == 1 ? 1 : cursor_->skip_run(most);
}

bool OldContent::has(const ContentChunk &chunk, MutableBytes scratch) const
{
	const MutableBytes bytes = scratch.first(chunk.size);
	return file_.read_at(bytes, chunk.offset) == bytes.size() && digest_of(bytes) == chunk.id;
}

bool has_bytes(const File &file, Bytes bytes, std::uint64_t offset)
{
	// By windows: the first difference ends the reading.
	Buffer window(std::min<std::size_t>(bytes.size(), 64_KiB));
	while (!bytes.empty()) {
		const MutableBytes part = MutableBytes(window).first(std::min(window.size(), bytes.size()));
		if (file.read_at(part, offset) < part.size() || std::memcmp(part.data(), bytes.data(), part.size()) != 0)
			return false;
		bytes = bytes.subspan(part.size());
		offset += part.size();
	}
	return true;
}

} // namespace dig
