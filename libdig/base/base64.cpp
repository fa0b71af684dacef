#include "libdig/base/base64.h"

#include <algorithm>
#include <array>

namespace dig {

static constexpr char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static constexpr std::array<std::int8_t, 256> values = [] {
	std::array<std::int8_t, 256> table{};
	table.fill(-1);
	for (int i = 0; i < 64; i++)
		table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
	return table;
}();

std::string to_base64(Bytes bytes)
{
	std::string text;
	text.reserve((bytes.size() + 2) / 3 * 4);
	for (; !bytes.empty(); bytes = bytes.subspan(std::min<std::size_t>(3, bytes.size()))) {
		std::uint32_t word = 0;
		for (std::size_t i = 0; i < 3; i++)
			word = word << 8 | (i < bytes.size() ? bytes[i] : 0u);
		for (std::size_t i = 0; i < 4; i++)
			text += i <= bytes.size() ? alphabet[word >> (18 - 6 * i) & 63] : '=';
	}
	return text;
}

std::optional<Buffer> from_base64(std::string_view text)
{
	if (text.size() % 4)
		return {};
	Buffer bytes;
	bytes.reserve(text.size() / 4 * 3);
	for (std::size_t at = 0; at < text.size(); at += 4) {
		std::string_view group = text.substr(at, 4);
		if (at + 4 == text.size())
			while (group.size() > 2 && group.back() == '=')
				group.remove_suffix(1);
		std::uint32_t word = 0;
		for (std::size_t i = 0; i < 4; i++) {
			const int value = i < group.size() ? values[static_cast<unsigned char>(group[i])] : 0;
			if (value < 0)
				return {};
			word = word << 6 | static_cast<std::uint32_t>(value);
		}
		const std::size_t size = group.size() - 1;
		if (word & ((1u << 8 * (3 - size)) - 1))
			return {};
		for (std::size_t i = 0; i < size; i++)
			bytes.push_back(static_cast<std::uint8_t>(word >> (16 - 8 * i)));
	}
	return bytes;
}

} // namespace dig
