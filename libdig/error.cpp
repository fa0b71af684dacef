#include "libdig/error.h"

#include <cstring>

namespace dig {

// The length of the UTF-8 sequence at text[at], or 0 where there is none that may be shown.
static std::size_t shown_sequence(std::string_view text, std::size_t at)
{
	const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
	const unsigned char first = byte(0);
	if (first < 0x80)
		return first >= 0x20 && first != 0x7f ? 1 : 0;
	const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || at + length > text.size())
		return 0;
	std::uint32_t point = first & (0xff >> (length + 1));
	for (std::size_t i = 1; i < length; i++) {
		if ((byte(i) & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (byte(i) & 0x3f);
	}
	const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
	const bool control = point < 0xa0 || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff;
	const bool bidi = point == 0x61c || (point >= 0x200e && point <= 0x200f) ||
		(point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
	return overlong || control || bidi ? 0 : length;
}

static std::string escaped(std::string_view path, bool escapes_quotes)
{
	std::string text;
	for (std::size_t at = 0; at < path.size();) {
		const char c = path[at];
		if (c == '\n' || c == '\t') {
			text += c == '\n' ? "\\n" : "\\t";
			at++;
		} else if (escapes_quotes && (c == '\\' || c == '\'')) {
			text += '\\';
			text += c;
			at++;
		} else if (const std::size_t length = shown_sequence(path, at)) {
			text += path.substr(at, length);
			at += length;
		} else {
			const unsigned char byte = static_cast<unsigned char>(c);
			text += '\\';
			text += static_cast<char>('0' + (byte >> 6));
			text += static_cast<char>('0' + (byte >> 3 & 7));
			text += static_cast<char>('0' + (byte & 7));
			at++;
		}
	}
	return text;
}

std::string quote(std::string_view path)
{
	std::string text(1, '\'');
	text += escaped(path, true);
	text += '\'';
	return text;
}

std::string shown_text(std::string_view text) { return escaped(text, false); }

SystemError::SystemError(std::string_view what, std::string_view path, int error)
	: Error("cannot " + std::string(what) + (path.empty() ? "" : " " + quote(path)) + ": " +
		std::strerror(error)),
	  error_(error)
{
}

CorruptError::CorruptError(std::string_view what, std::string_view path, std::uint64_t offset)
	: Error(quote(path) + " is corrupt at byte " + std::to_string(offset) + ": " + std::string(what),
		exit_status::corrupt)
{
}

} // namespace dig
