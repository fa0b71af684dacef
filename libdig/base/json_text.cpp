#include "libdig/base/json_text.h"

#include "libdig/base/base64.h"
#include "libdig/base/utf8.h"

namespace dig {

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
	return '"' + key + "_b64\":\"" + to_base64(bytes_of(bytes)) + '"';
}

} // namespace dig
