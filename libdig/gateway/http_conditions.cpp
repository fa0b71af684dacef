// Clients send what they like, so that everything that is malformed has a meaning, too: a condition
// that cannot be read is one that does not hold, and a range that cannot be read is none.  A date is
// compared for being the same one: the content behind a name that moves can be older than before.
#include "libdig/gateway/http_conditions.h"

#include <cstdio>
#include <ctime>

#include "libdig/base/error.h"
#include "libdig/fetch/validator.h"
#include "libdig/os/clock.h"

namespace dig {

static std::string_view trimmed(std::string_view text)
{
	const std::size_t first = text.find_first_not_of(" \t");
	if (first == text.npos)
		return {};
	return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool names_tag(std::string_view list, std::string_view etag, bool is_weak)
{
	list = trimmed(list);
	if (list == "*")
		return true;
	while (!list.empty()) {
		const bool has_mark = list.starts_with("W/");
		if (has_mark)
			list.remove_prefix(2);
		if (!list.starts_with('"'))
			return false;
		const std::size_t end = list.find('"', 1);
		if (end == list.npos)
			return false;
		if (list.substr(0, end + 1) == etag && (is_weak || !has_mark))
			return true;
		list = trimmed(list.substr(end + 1));
		if (!list.empty() && list[0] != ',')
			return false;
		while (!list.empty() && list[0] == ',')
			list = trimmed(list.substr(1));
	}
	return false;
}

static bool is_date(std::string_view text, const ContentTag &tag)
{
	return tag.modified && seconds_of_http_date(trimmed(text)) == *tag.modified;
}

Verdict judge(const Conditions &conditions, const ContentTag &tag)
{
	if (!conditions.if_match.empty()) {
		if (!names_tag(conditions.if_match, tag.etag, false))
			return Verdict::failed;
	} else if (!conditions.if_unmodified_since.empty() &&
		seconds_of_http_date(trimmed(conditions.if_unmodified_since)) &&
		!is_date(conditions.if_unmodified_since, tag)) {
		return Verdict::failed;
	}
	if (!conditions.if_none_match.empty())
		return names_tag(conditions.if_none_match, tag.etag, true) ? Verdict::not_modified : Verdict::proceed;
	if (!conditions.if_modified_since.empty() && is_date(conditions.if_modified_since, tag))
		return Verdict::not_modified;
	return Verdict::proceed;
}

static bool is_same(std::string_view if_range, const ContentTag &tag)
{
	if_range = trimmed(if_range);
	return if_range.find('"') != if_range.npos ? if_range == tag.etag : is_date(if_range, tag);
}

// Every letter of "bytes" may have any case.
static bool takes_unit(std::string_view &range)
{
	constexpr std::string_view unit = "bytes=";
	if (range.size() < unit.size())
		return false;
	for (std::size_t i = 0; i < unit.size(); i++)
		if ((range[i] | (unit[i] == '=' ? 0 : 0x20)) != unit[i])
			return false;
	range.remove_prefix(unit.size());
	return true;
}

RangeWish wished_range(const Conditions &conditions, const ContentTag &tag, std::uint64_t size)
{
	RangeWish wish{RangeWish::Kind::whole, {0, size}};
	std::string_view rest = trimmed(conditions.range);
	if (rest.empty() || !takes_unit(rest) || (!conditions.if_range.empty() && !is_same(conditions.if_range, tag)))
		return wish;
	std::optional<ByteRange> range;
	std::size_t count = 0;
	for (bool is_last = false; !is_last;) {
		const std::size_t comma = rest.find(',');
		const std::string_view one = trimmed(rest.substr(0, comma));
		is_last = comma == rest.npos;
		rest.remove_prefix(is_last ? rest.size() : comma + 1);
		if (one.empty())
			continue;
		if (!(range = parse_byte_range(one)))
			return wish;
		count++;
	}
	if (count == 0)
		return wish;
	wish.kind = RangeWish::Kind::unsatisfiable;
	if (count > 1)
		return wish;
	try {
		wish.extent = range->resolve(size);
		// The last bytes of nothing are all of it, and no Content-Range can name them.
		wish.kind = wish.extent.size > 0 ? RangeWish::Kind::part : RangeWish::Kind::whole;
	} catch (const Error &) {
		// It begins at the end or behind it.
	}
	return wish;
}

std::string http_date(std::int64_t seconds)
{
	static constexpr const char *days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static constexpr const char *months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
		"Nov", "Dec"};
	constexpr std::int64_t year_10000 = 253402300800;
	const std::time_t time = seconds;
	std::tm parts;
	if (seconds < 0 || seconds >= year_10000 || !::gmtime_r(&time, &parts))
		return {};
	char text[64];
	std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday], parts.tm_mday,
		months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
	return text;
}

std::string exact_time(std::int64_t ns)
{
	const std::time_t time = seconds_of(ns);
	std::tm parts;
	if (!::gmtime_r(&time, &parts) || parts.tm_year < -900 || parts.tm_year > 8099)
		return {};
	char text[96];
	std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900, parts.tm_mon + 1,
		parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		static_cast<int>(ns - seconds_of(ns) * nanoseconds_a_second));
	return text;
}

} // namespace dig
