// A request of a conversation with dig-cat, and what is known of its answer so far.
#ifndef DIG_BATCH_REQUEST_H
#define DIG_BATCH_REQUEST_H

#include <memory>

#include "libdig/base/byte_range.h"
#include "libdig/format/tree_node.h"

namespace dig {

// A state that a request names.
struct BatchState {
	const char *trouble = nullptr;
	std::uint64_t generation = 0;
	TreeRoot manifest{Digest()};
};

// Small, since there are many of them; its texts lie elsewhere.
struct BatchRequest {
	enum class Command : std::uint8_t { contents, range, info, exists, prove, none };
	static constexpr std::uint64_t small_content = 256_KiB;

	std::string_view text; // as it came
	std::uint32_t name_at = 0;
	// The place of its path among all paths, in the order of states and paths.
	std::uint32_t rank = 0;
	Command command = Command::none;
	ContentForm form = ContentForm::none; // of an entry
	std::optional<ByteRange> range;
	const BatchState *state = nullptr; // none: a chunk
	std::string_view path;             // as it came, without quotes

	// The answer: a word why there is nothing to show, or what there is.
	const char *trouble = nullptr;
	std::unique_ptr<Error> failure;
	const char *kind = nullptr;
	Digest digest;  // file root or chunk
	Digest content; // as form says
	std::uint64_t size = 0;
	ByteRange::Extent extent;
	Bytes bytes; // of small content

	std::string_view shown_name() const { return text.substr(name_at); }
	// Of an entry.
	bool wants_bytes() const
	{
		return state && !trouble && !failure && (command == Command::contents || command == Command::range);
	}
	bool is_small() const { return extent.size <= small_content; }
	bool is_one_chunk() const { return form == ContentForm::chunk && size <= small_content; }
	// With all that reading needs.
	Entry entry() const
	{
		Entry entry;
		entry.path = path;
		entry.size = size;
		entry.form = form;
		entry.content = content;
		return entry;
	}
};

} // namespace dig

#endif
