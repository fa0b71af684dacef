//     100644 5120 6d0e…9c1f 1700000000000000000 sha256=a3b1…77e0 changed blocks=… TAB path
//
// Mode, size and file root are always there.  What follows them shows by itself what it is: a
// number is the time in nanoseconds, the others have a name.  So a list without them is a list,
// too.  The path stands last, because it is the only field that may hold a blank.
#include "libdig/tool/listing.h"

#include <cstdio>

namespace dig {

static unsigned kind_bits(EntryKind kind)
{
	switch (kind) {
	case EntryKind::file: return 0100000;
	case EntryKind::symlink: return 0120000;
	case EntryKind::empty_directory: return 0040000;
	}
	return 0;
}

std::string mode_text(const Entry &entry)
{
	char text[8];
	std::snprintf(text, sizeof text, "%06o", kind_bits(entry.kind) | entry.mode);
	return text;
}

std::string mode_letters(const Entry &entry)
{
	std::string text = entry.kind == EntryKind::file ? "-" : entry.kind == EntryKind::symlink ? "l"
		: entry.kind == EntryKind::empty_directory ? "d" : "?";
	for (int shift = 6; shift >= 0; shift -= 3) {
		const unsigned bits = entry.mode >> shift;
		text += bits & 4 ? 'r' : '-';
		text += bits & 2 ? 'w' : '-';
		// As in ls: set-user-ID, set-group-ID and the sticky bit stand in the place of x, as
		// capital letters where x is not set.
		const bool is_special = entry.mode >> (9 + shift / 3) & 1;
		const char special = shift == 0 ? 't' : 's';
		text += is_special ? (bits & 1 ? special : static_cast<char>(special - 32)) : bits & 1 ? 'x' : '-';
	}
	return text;
}

void print_entry(Output &out, const Entry &entry)
{
	std::string text = mode_text(entry) + ' ' + std::to_string(entry.size) + ' ' + to_hex(entry.file_root());
	if (entry.mtime_ns)
		text += ' ' + std::to_string(*entry.mtime_ns);
	if (const std::optional<Digest> digest = entry.file_digest())
		text += " sha256=" + to_hex(*digest);
	if (entry.has_attribute(changed_while_read_attribute))
		text += " changed";
	if (const std::optional<Digest> root = entry.block_tree())
		text += " blocks=" + to_hex(*root);
	out.write(text + '\t');
	out.record_path(entry.path);
}

} // namespace dig
