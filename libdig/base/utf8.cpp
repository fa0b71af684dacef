// The sequences of RFC 3629, section 4.  Nothing else is UTF-8:
//
//     00..7f                            U+0000 to U+007F
//     c2..df 80..bf                     U+0080 to U+07FF
//     e0..ef 80..bf 80..bf              U+0800 to U+FFFF, except U+D800 to U+DFFF
//     f0..f4 80..bf 80..bf 80..bf       U+10000 to U+10FFFF
//
// c0 and c1 could begin only a longer form of ASCII, and f5 to ff only code points that do not
// exist.  Decoders and terminals differ in what they make of such bytes.  So messages and lists show
// them byte by byte, as octal escapes, and never as a character.
#include "libdig/base/utf8.h"

namespace dig {

Utf8Point utf8_at(std::string_view text, std::size_t at)
{
	const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
	const unsigned char first = byte(0);
	if (first < 0x80)
		return {1, first};
	const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || at + length > text.size())
		return {};
	std::uint32_t point = first & (0xff >> (length + 1));
	for (std::size_t i = 1; i < length; i++) {
		if ((byte(i) & 0xc0) != 0x80)
			return {};
		point = point << 6 | (byte(i) & 0x3f);
	}
	const bool is_overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
	if (is_overlong || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
		return {};
	return {length, point};
}

bool is_utf8(std::string_view text)
{
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t length = utf8_at(text, at).length;
		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

} // namespace dig
