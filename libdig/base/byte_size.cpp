// Two spellings of one unit.  "KB" is what settings and options take, and it is 1024 bytes, as in
// the specification of dig.  People read "KiB", which has no other meaning.  A text that may be
// read back is exact, so exact_size_text() takes a smaller unit where a larger one would have to
// round.
#include "libdig/base/byte_size.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace dig {

static constexpr std::uint64_t max_size = INT64_MAX;

std::optional<std::uint64_t> parse_size(std::string_view text)
{
	std::uint64_t number = 0;
	const char *end = text.data() + text.size();
	const auto [unit, error] = std::from_chars(text.data(), end, number);
	if (error != std::errc())
		return {};
	static constexpr std::string_view units[] = {"B", "KB", "MB", "GB", "TB"};
	int power = 0;
	if (unit != end) {
		const auto found = std::find(std::begin(units), std::end(units),
			std::string_view(unit, static_cast<std::size_t>(end - unit)));
		if (found == std::end(units))
			return {};
		power = static_cast<int>(found - std::begin(units));
	}
	// Before the shift, which would lose the bits that do not fit.
	if (number > max_size >> (10 * power))
		return {};
	return number << (10 * power);
}

std::string exact_size_text(std::uint64_t size)
{
	static constexpr const char *units[] = {"B", "KB", "MB", "GB", "TB"};
	if (size == 0)
		return "0";
	int power = 0;
	for (; power < 4 && size % 1024 == 0; power++)
		size /= 1024;
	return std::to_string(size) + units[power];
}

std::string size_text(double bytes)
{
	constexpr std::array<const char *, 6> units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
	std::size_t unit = 0;
	// 1000 and not 1024, since "1023 KiB" would need a fourth digit.
	while (bytes >= 1000 && unit + 1 < units.size()) {
		bytes /= 1024;
		unit++;
	}
	char text[64];
	std::snprintf(text, sizeof text, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2,
		bytes, units[unit]);
	return text;
}

} // namespace dig
