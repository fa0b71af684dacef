// Code points in UTF-8.
#ifndef DIG_UTF8_H
#define DIG_UTF8_H

#include <cstdint>
#include <string_view>

namespace dig {

struct Utf8Point {
	std::size_t length = 0; // in bytes; 0 if there is no UTF-8
	std::uint32_t value = 0;
};
// The code point that begins at text[at].  Surrogates, and code points in more bytes than they
// need, are no UTF-8.
Utf8Point utf8_at(std::string_view text, std::size_t at);
// Whether all of it is UTF-8.
bool is_utf8(std::string_view text);

} // namespace dig

#endif
