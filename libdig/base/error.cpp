// A message may quote a path from a store, a file or a pipe, and ends on a terminal.  There, a
// control character could move the cursor or begin an escape sequence, and a newline could make one
// message look like two.  So everything that is not plainly visible is escaped, and the escapes are
// those of C.
#include "libdig/base/error.h"

#include <cstring>

#include "libdig/base/utf8.h"

namespace dig {

// The length of the UTF-8 sequence at text[at], or 0 where there is none that may be shown.
static std::size_t shown_sequence(std::string_view text, std::size_t at)
{
	const auto [length, point] = utf8_at(text, at);
	// U+0080 to U+009F are controls, too: some terminals take U+009B for the beginning of an escape
	// sequence.
	const bool is_control = point < 0x20 || (point >= 0x7f && point < 0xa0);
	// These change the direction or the line of the text around them, so that a path would be shown
	// as another one ("Trojan Source", CVE-2021-42574).
	const bool is_bidi = point == 0x61c || (point >= 0x200e && point <= 0x200f) ||
		(point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
	return is_control || is_bidi ? 0 : length;
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
	  error_(error), path_(path)
{
}

CorruptError::CorruptError(std::string_view what, std::string_view path, std::uint64_t offset)
	: Error(quote(path) + " is corrupt at byte " + std::to_string(offset) + ": " + std::string(what),
		exit_status::corrupt)
{
}

} // namespace dig
