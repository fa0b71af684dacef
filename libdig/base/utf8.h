// Code points in UTF-8.
#ifndef DIG_UTF8_H
#define DIG_UTF8_H

#include <cstdint>
#include <string_view>

namespace dig {

struct Utf8Point {
	std::size_t length = 0; // in bytes; 0 where there is no UTF-8
	std::uint32_t value = 0;
};
// The code point whose bytes begin at text[at].  No surrogates, and none in more bytes than it needs.
Utf8Point utf8_at(std::string_view text, std::size_t at);

} // namespace dig

#endif
