// One path in a state: the leaf of a manifest (dig-layer-format(5), "Entries").
#ifndef DIG_ENTRY_H
#define DIG_ENTRY_H

#include <optional>
#include <string>

#include "libdig/base/cursor.h"

namespace dig {

enum class EntryKind : std::uint8_t { file = 1, symlink = 2, empty_directory = 3 };

// How an entry names its content: not at all (no bytes), by its only chunk, or by its file root.
enum class ContentForm : std::uint8_t { none = 0, chunk = 1, file_root = 2 };

constexpr std::size_t max_link_size = 4095; // bytes of a symlink's text: PATH_MAX without its NUL

// SHA-256 of all content (core.file_digest); 1 and 2 are reserved for owner and extended
// attributes.
constexpr std::uint16_t file_digest_attribute = 3;
// It has no value.  The file changed while it was read, and its content may be a mixture of two
// versions.
constexpr std::uint16_t changed_while_read_attribute = 4;
// The root of the tree over blocks of the content (core.block_tree, block_tree.h).
constexpr std::uint16_t block_tree_attribute = 5;

struct Entry {
	std::string path;
	EntryKind kind = EntryKind::file;
	std::uint16_t mode = 0; // permission bits, 12 of them
	std::uint64_t size = 0; // content bytes
	std::optional<std::int64_t> mtime_ns;
	ContentForm form = ContentForm::none;
	Digest content;    // chunk id or file root, as form says
	Buffer attributes; // encoded, without their number
	std::uint16_t attribute_count = 0;

	bool operator==(const Entry &) const = default;

	// The attribute of core.file_digest, if there is one.
	std::optional<Digest> file_digest() const { return digest_attribute(file_digest_attribute); }
	// The attribute of core.block_tree, if there is one.
	std::optional<Digest> block_tree() const { return digest_attribute(block_tree_attribute); }

	// The root of the entry's chunk list.  It is computed if the entry names a chunk or
	// nothing.
	Digest file_root() const;
	// Appends an attribute.  Its type must be higher than the types that are there.
	void add_attribute(std::uint16_t type, Bytes value);
	bool has_attribute(std::uint16_t type) const;
	bool is_known_kind() const { return kind >= EntryKind::file && kind <= EntryKind::empty_directory; }

	void encode(Buffer &out) const;
	// All but the path and its length.
	void encode_rest(Buffer &out) const;
	// Checks all that can be checked in a single entry, including its path.
	static Entry decode(Cursor &cursor);
	// The same over what was decoded before, for a look at many entries.  The path is returned, and not kept.
	std::string_view decode_over(Cursor &cursor);
	void decode_rest(Cursor &cursor);

private:
	std::optional<Digest> digest_attribute(std::uint16_t type) const;
};

// The path of the encoded entry at the start of bytes.  Only its length is checked.
std::string_view path_of_encoded_entry(Bytes bytes);

} // namespace dig

#endif
