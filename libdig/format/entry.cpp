//     u16 length | path | u8 kind | u16 mode | u64 size | u8 bits | content | time
//         | u16 count | count times: u16 type | u32 length | value
//
// Content (32 bytes) and time (8) are there if the bits say so.  The path stands first: a node is
// searched by its paths, and each of them is read without the rest of its entry.  The index stores
// paths in another way, so it encodes and decodes the rest alone.
//
// The bytes of entries are hashed into node ids, and a commit takes over the entries that it does
// not change.  So an entry that is decoded and encoded again must have the same bytes, even if a
// later version has written it: a kind or an attribute that is not known here passes through as it
// is.  What would make an entry ambiguous is refused instead: unused bits, attributes out of order,
// a size without content.
#include "libdig/format/entry.h"

#include "libdig/base/path.h"
#include "libdig/format/node_id.h"

namespace dig {

constexpr std::uint8_t has_mtime = 4;

std::optional<Digest> Entry::digest_attribute(std::uint16_t wanted) const
{
	Cursor cursor(attributes, "an entry");
	while (!cursor.at_end()) {
		const std::uint16_t type = cursor.u16();
		const Bytes value = cursor.take(cursor.u32());
		if (type == wanted && value.size() == sizeof(Digest))
			return Cursor(value, "an entry").digest();
	}
	return {};
}

Digest Entry::file_root() const
{
	if (form == ContentForm::file_root)
		return content;
	if (form == ContentForm::chunk)
		return single_chunk_root(content, size);
	return empty_root(TreeKind::chunk_list);
}

void Entry::add_attribute(std::uint16_t type, Bytes value)
{
	put_u16(attributes, type);
	put_u32(attributes, static_cast<std::uint32_t>(value.size()));
	append(attributes, value);
	attribute_count++;
}

bool Entry::has_attribute(std::uint16_t type) const
{
	Cursor cursor(attributes, path);
	while (!cursor.at_end()) {
		if (cursor.u16() == type)
			return true;
		cursor.take(cursor.u32());
	}
	return false;
}

void Entry::encode_rest(Buffer &out) const
{
	put_u8(out, static_cast<std::uint8_t>(kind));
	put_u16(out, mode);
	put_u64(out, size);
	put_u8(out, static_cast<std::uint8_t>(static_cast<std::uint8_t>(form) | (mtime_ns ? has_mtime : 0)));
	if (form != ContentForm::none)
		append(out, content);
	if (mtime_ns)
		put(out, *mtime_ns);
	put_u16(out, attribute_count);
	append(out, attributes);
}

void Entry::encode(Buffer &out) const
{
	put_u16(out, static_cast<std::uint16_t>(path.size()));
	append(out, bytes_of(path));
	encode_rest(out);
}

void Entry::decode_rest(Cursor &cursor)
{
	kind = static_cast<EntryKind>(cursor.u8());
	mode = cursor.u16();
	if (mode > 07777)
		cursor.fail("an entry's mode has more than 12 bits");
	size = cursor.u64();
	// Bits 0 and 1 are the form, where 3 is none.  Bit 2 announces a time.  The others are 0.
	const std::uint8_t bits = cursor.u8();
	if (bits > 6 || (bits & 3) > 2)
		cursor.fail("an entry's content is of an unknown form");
	form = static_cast<ContentForm>(bits & 3);
	if ((form == ContentForm::none) != (size == 0))
		cursor.fail("an entry's size and content do not agree");
	content = form == ContentForm::none ? Digest() : cursor.digest();
	mtime_ns.reset();
	if (bits & has_mtime)
		mtime_ns = cursor.i64();
	attribute_count = cursor.u16();
	attributes.clear();
	for (int before = -1, i = 0; i < attribute_count; i++) {
		const std::uint16_t type = cursor.u16();
		if (type <= before)
			cursor.fail("an entry's attributes are not in order");
		before = type;
		const std::uint32_t length = cursor.u32();
		const Bytes value = cursor.take(length);
		put_u16(attributes, type);
		put_u32(attributes, length);
		append(attributes, value);
	}
	if (kind == EntryKind::empty_directory && size != 0)
		cursor.fail("a directory's entry has content");
}

Entry Entry::decode(Cursor &cursor)
{
	Entry entry;
	entry.path = entry.decode_over(cursor);
	return entry;
}

std::string_view Entry::decode_over(Cursor &cursor)
{
	const std::uint16_t length = cursor.u16();
	const std::string_view stored = text_of(cursor.take(length));
	if (const std::string_view problem = path_problem(stored); !problem.empty())
		cursor.fail("the path " + quote(stored) + " is not allowed: " + std::string(problem));
	decode_rest(cursor);
	return stored;
}

std::string_view path_of_encoded_entry(Bytes bytes)
{
	return text_of(bytes.subspan(2, load<std::uint16_t>(bytes.data())));
}

} // namespace dig
