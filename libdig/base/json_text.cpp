#include "libdig/base/json_text.h"

#include <algorithm>

#include "libdig/base/utf8.h"

namespace dig {

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

std::string base64_of(std::string_view bytes)
{
	static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	std::string text;
	for (std::size_t at = 0; at < bytes.size(); at += 3) {
		const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
		unsigned bits = 0;
		for (std::size_t i = 0; i < 3; i++)
			bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
		for (std::size_t i = 0; i < 4; i++)
			text += i <= count ? digits[bits >> (18 - 6 * i) & 63] : '=';
	}
	return text;
}

std::string exact_json_string(std::string_view text)
{
	static constexpr char hex[] = "0123456789abcdef";
	std::string quoted = "\"";
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t length = utf8_at(text, at).length;
		const auto c = static_cast<unsigned char>(text[at]);
		if (length == 0) {
			quoted += "\xef\xbf\xbd";
			at++;
			continue;
		}
		if (c == '"' || c == '\\')
			quoted += '\\';
		if (c < 0x20 || c == 0x7f) {
			quoted += "\\u00";
			quoted += hex[c >> 4];
			quoted += hex[c & 15];
		} else {
			quoted += text.substr(at, length);
		}
		at += length;
	}
	return quoted + '"';
}

std::string json_field(std::string_view name, std::string_view bytes)
{
	const std::string key(name);
	if (is_utf8(bytes))
		return '"' + key + "\":" + exact_json_string(bytes);
	return '"' + key + "_b64\":\"" + base64_of(bytes) + '"';
}

} // namespace dig
