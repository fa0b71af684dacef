#include "libdig/base/byte_range.h"

#include <algorithm>
#include <charconv>

#include "libdig/base/error.h"

namespace dig {

static std::optional<std::uint64_t> parse_position(std::string_view text)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size())
		return {};
	return value;
}

std::optional<ByteRange> parse_byte_range(std::string_view text)
{
	const std::size_t dash = text.find('-');
	if (dash == text.npos || text.size() == 1)
		return {};
	const std::string_view first = text.substr(0, dash), last = text.substr(dash + 1);
	const ByteRange range{parse_position(first), parse_position(last)};
	// Each side has a number exactly if it has text.
	if (range.first.has_value() == first.empty() || range.last.has_value() == last.empty())
		return {};
	if (range.first && range.last && *range.first > *range.last)
		return {};
	return range;
}

ByteRange::Extent ByteRange::resolve(std::uint64_t content_size) const
{
	const auto fail = [&]() {
		throw Error("the range " + to_text(*this) + " covers nothing of " +
			std::to_string(content_size) + " bytes");
	};
	// As in RFC 9110: a suffix that is longer than the content is all of the content.
	if (!first) {
		const std::uint64_t size = std::min(last.value_or(0), content_size);
		if (last.value_or(0) == 0)
			fail();
		return {content_size - size, size};
	}
	if (*first >= content_size)
		fail();
	// The end is included.  One past it would not fit into 64 bits for "0-18446744073709551615".
	const std::uint64_t end = std::min(last.value_or(UINT64_MAX), content_size - 1);
	return {*first, end - *first + 1};
}

std::string to_text(const ByteRange &range)
{
	return (range.first ? std::to_string(*range.first) : "") + "-" +
		(range.last ? std::to_string(*range.last) : "");
}

} // namespace dig
