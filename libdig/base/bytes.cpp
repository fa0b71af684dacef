#include "libdig/base/bytes.h"

namespace dig {

std::string to_hex(Bytes bytes)
{
	static constexpr char digits[] = "0123456789abcdef";
	std::string text(bytes.size() * 2, '\0');
	char *next = text.data();
	for (std::uint8_t byte : bytes) {
		*next++ = digits[byte >> 4];
		*next++ = digits[byte & 15];
	}
	return text;
}

// Not isxdigit(): it is undefined for the negative values that a char of untrusted text may have.
static int value_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool from_hex(std::string_view text, MutableBytes out)
{
	if (text.size() != out.size() * 2)
		return false;
	for (std::size_t i = 0; i < out.size(); i++) {
		int high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = static_cast<std::uint8_t>(high << 4 | low);
	}
	return true;
}

} // namespace dig
