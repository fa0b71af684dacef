// Calendar and zones are those of the C library.  A day is not always 24 hours long, so that the end of
// a day is the beginning of the next one, as mktime() finds it.
#include "libdig/os/typed_time.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "libdig/base/error.h"

namespace dig {

constexpr std::size_t max_text_size = 64;
constexpr std::int64_t max_count = 1'000'000'000;

// Takes the text apart from left to right.
class TimeText {
public:
	explicit TimeText(std::string_view text) : rest_(text) {}

	bool at_end() const { return rest_.empty(); }
	bool takes(char c)
	{
		if (rest_.empty() || rest_[0] != c)
			return false;
		rest_.remove_prefix(1);
		return true;
	}
	bool takes(std::string_view word)
	{
		if (!rest_.starts_with(word))
			return false;
		rest_.remove_prefix(word.size());
		return true;
	}
	// So many digits.
	std::optional<int> digits(std::size_t count)
	{
		if (rest_.size() < count)
			return {};
		int number = 0;
		for (const char c : rest_.substr(0, count)) {
			if (c < '0' || c > '9')
				return {};
			number = number * 10 + (c - '0');
		}
		rest_.remove_prefix(count);
		return number;
	}
	// As many digits as there are.
	std::optional<std::int64_t> number(std::int64_t most)
	{
		std::int64_t number = 0;
		std::size_t count = 0;
		for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; count++)
			if ((number = number * 10 + (rest_[count] - '0')) > most)
				return {};
		rest_.remove_prefix(count);
		return count > 0 ? std::optional(number) : std::nullopt;
	}

private:
	std::string_view rest_;
};

// The zone is that of TZ, or so many seconds ahead of UTC.
static std::optional<std::int64_t> seconds_of(std::tm parts, const std::optional<int> &ahead_s)
{
	if (ahead_s)
		return ::timegm(&parts) - *ahead_s;
	parts.tm_isdst = -1;
	// mktime() returns -1 for a second that exists, too.
	parts.tm_wday = -1;
	const std::time_t time = ::mktime(&parts);
	return parts.tm_wday == -1 ? std::nullopt : std::optional<std::int64_t>(time);
}

static std::optional<std::tm> parts_of(std::int64_t time_s)
{
	const std::time_t time = time_s;
	std::tm parts{};
	::tzset();
	return ::localtime_r(&time, &parts) ? std::optional(parts) : std::nullopt;
}

static std::optional<TypedTime> day_of(std::tm parts, const std::optional<int> &ahead_s)
{
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	const std::optional<std::int64_t> first = seconds_of(parts, ahead_s);
	parts.tm_mday++;
	const std::optional<std::int64_t> next = seconds_of(parts, ahead_s);
	if (!first || !next)
		return {};
	return TypedTime{*first, *next - 1};
}

static bool is_day(const std::tm &parts)
{
	static constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const int year = parts.tm_year + 1900;
	const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return parts.tm_mon >= 0 && parts.tm_mon < 12 && parts.tm_mday >= 1 &&
		parts.tm_mday <= days[static_cast<std::size_t>(parts.tm_mon)] + (is_leap && parts.tm_mon == 1);
}

// Seconds ahead of UTC: "z", "+01:00", "-0330", "+01".  Null inside for no zone; nothing if it is none.
static std::optional<std::optional<int>> take_zone(TimeText &text)
{
	if (text.at_end())
		return std::make_optional<std::optional<int>>();
	text.takes(' ');
	if (text.takes('z') || text.takes("utc"))
		return text.at_end() ? std::optional(std::optional(0)) : std::nullopt;
	const bool is_behind = text.takes('-');
	if (!is_behind && !text.takes('+'))
		return {};
	const std::optional<int> hours = text.digits(2);
	const bool has_minutes = text.takes(':') || !text.at_end();
	const std::optional<int> minutes = has_minutes ? text.digits(2) : std::optional(0);
	if (!hours || !minutes || *hours > 23 || *minutes > 59 || !text.at_end())
		return {};
	const int ahead = (*hours * 60 + *minutes) * 60;
	return std::optional<int>(is_behind ? -ahead : ahead);
}

static std::optional<TypedTime> parse_date(TimeText text)
{
	std::tm parts{};
	const std::optional<int> year = text.digits(4);
	if (!year || !text.takes('-'))
		return {};
	const std::optional<int> month = text.digits(2);
	if (!month || !text.takes('-'))
		return {};
	const std::optional<int> day = text.digits(2);
	if (!day)
		return {};
	parts.tm_year = *year - 1900;
	parts.tm_mon = *month - 1;
	parts.tm_mday = *day;
	if (!is_day(parts))
		return {};
	if (text.at_end())
		return day_of(parts, {});
	if (!text.takes('t') && !text.takes(' '))
		return {};
	const std::optional<int> hour = text.digits(2);
	if (!hour || *hour > 23 || !text.takes(':'))
		return {};
	const std::optional<int> minute = text.digits(2);
	if (!minute || *minute > 59)
		return {};
	parts.tm_hour = *hour;
	parts.tm_min = *minute;
	const bool has_seconds = text.takes(':');
	if (has_seconds) {
		const std::optional<int> second = text.digits(2);
		if (!second || *second > 59)
			return {};
		parts.tm_sec = *second;
		// The times of states are whole seconds.
		if (text.takes('.') && !text.number(max_count))
			return {};
	}
	const std::optional<std::optional<int>> ahead = take_zone(text);
	if (!ahead)
		return {};
	const std::optional<std::int64_t> first = seconds_of(parts, *ahead);
	if (!first)
		return {};
	return TypedTime{*first, *first + (has_seconds ? 0 : 59)};
}

// "2 days ago", and "2.days.ago", which needs no quotes in a shell.
static std::optional<TypedTime> parse_ago(TimeText text, std::int64_t now_s)
{
	const std::optional<std::int64_t> count = text.number(max_count);
	if (!count || !(text.takes(' ') || text.takes('.')))
		return {};
	static constexpr std::array<std::string_view, 7> units = {"second", "minute", "hour", "day", "week", "month",
		"year"};
	std::size_t unit = 0;
	while (unit < units.size() && !text.takes(units[unit]))
		unit++;
	text.takes('s');
	if (unit == units.size() || !(text.takes(' ') || text.takes('.')) || !text.takes("ago") || !text.at_end())
		return {};
	std::int64_t time_s = now_s;
	// A second, a minute and an hour are always equally long.
	static constexpr std::array<std::int64_t, 3> lengths = {1, 60, 3600};
	if (unit < lengths.size()) {
		time_s -= *count * lengths[unit];
		return TypedTime{time_s, time_s};
	}
	std::optional<std::tm> parts = parts_of(now_s);
	if (!parts || *count > 1'000'000)
		return {};
	const int many = static_cast<int>(*count);
	if (unit == 3 || unit == 4)
		parts->tm_mday -= unit == 3 ? many : 7 * many;
	else
		parts->tm_mon -= unit == 5 ? many : 12 * many;
	// The 31st of a month that has 30 days is its last day.
	if (unit >= 5) {
		const int years = parts->tm_mon >= 0 ? parts->tm_mon / 12 : -((11 - parts->tm_mon) / 12);
		parts->tm_year += years;
		parts->tm_mon -= 12 * years;
		while (!is_day(*parts))
			parts->tm_mday--;
	}
	const std::optional<std::int64_t> then = seconds_of(*parts, {});
	return then ? std::optional(TypedTime{*then, *then}) : std::nullopt;
}

std::optional<TypedTime> parse_typed_time(std::string_view typed, std::int64_t now_s)
{
	if (typed.size() > max_text_size)
		return {};
	std::string text;
	for (const char c : typed)
		text += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	if (text == "now")
		return TypedTime{now_s, now_s};
	if (text == "today" || text == "yesterday") {
		std::optional<std::tm> parts = parts_of(now_s);
		if (!parts)
			return {};
		parts->tm_mday -= text == "yesterday";
		return day_of(*parts, {});
	}
	TimeText rest(text);
	if (rest.takes('@')) {
		const std::optional<std::int64_t> seconds = rest.number(std::int64_t(1) << 55);
		return seconds && rest.at_end() ? std::optional(TypedTime{*seconds, *seconds}) : std::nullopt;
	}
	::tzset();
	const std::optional<TypedTime> date = parse_date(rest);
	return date ? date : parse_ago(rest, now_s);
}

TypedTime get_typed_time(std::string_view text, std::int64_t now_s)
{
	if (const std::optional<TypedTime> time = parse_typed_time(text, now_s))
		return *time;
	throw UsageError(quote(text) +
		" is no time; give it as 2026-11-01, '2026-11-01 14:30', yesterday or '2 days ago'");
}

std::string utc_text(std::int64_t time_s)
{
	const std::time_t time = time_s;
	std::tm parts{};
	if (!::gmtime_r(&time, &parts))
		return std::to_string(time_s) + " s";
	char text[64];
	std::snprintf(text, sizeof text, "%04lld-%02d-%02d %02d:%02d:%02d UTC",
		static_cast<long long>(parts.tm_year) + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
		parts.tm_min, parts.tm_sec);
	return text;
}

} // namespace dig
