#include "libdig/archive/pax_records.h"

#include <algorithm>
#include <limits>

#include "libdig/os/clock.h"

namespace dig {

constexpr std::int64_t second_ns = 1'000'000'000;

std::optional<std::uint64_t> pax_number(std::string_view text, std::uint64_t most)
{
	if (text.empty() || text.find_first_not_of("0123456789") != text.npos)
		return {};
	std::uint64_t value = 0;
	for (const char digit : text)
		if (__builtin_mul_overflow(value, std::uint64_t(10), &value) ||
			__builtin_add_overflow(value, static_cast<std::uint64_t>(digit - '0'), &value) || value > most)
			return {};
	return value;
}

bool each_pax_record(std::string_view text, const PaxRecordTaken &each)
{
	while (!text.empty()) {
		const std::size_t blank = text.substr(0, 20).find(' ');
		if (blank == text.npos)
			return false;
		const std::optional<std::uint64_t> length = pax_number(text.substr(0, blank), text.size());
		if (!length || *length < blank + 2 || text[*length - 1] != '\n')
			return false;
		const std::string_view record = text.substr(blank + 1, *length - blank - 2);
		const std::size_t equals = record.find('=');
		if (equals == record.npos || equals == 0)
			return false;
		each(record.substr(0, equals), record.substr(equals + 1));
		text.remove_prefix(*length);
	}
	return true;
}

void append_pax_record(std::string &text, std::string_view key, std::string_view value)
{
	const std::size_t rest = key.size() + value.size() + 3;
	std::size_t length = rest + 1;
	while (length != rest + std::to_string(length).size())
		length = rest + std::to_string(length).size();
	text += std::to_string(length);
	text += ' ';
	text += key;
	text += '=';
	text += value;
	text += '\n';
}

std::optional<std::int64_t> pax_time(std::string_view text)
{
	const bool is_negative = text.starts_with('-');
	text.remove_prefix(is_negative);
	const std::size_t point = std::min(text.find('.'), text.size());
	const std::string_view whole = text.substr(0, point);
	const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
	constexpr std::string_view digits = "0123456789";
	if (whole.empty() || whole.find_first_not_of(digits) != whole.npos ||
		fraction.find_first_not_of(digits) != fraction.npos)
		return {};
	std::int64_t nanoseconds = 0;
	for (std::size_t i = 0; i < 9; i++)
		nanoseconds = nanoseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
	const bool has_rest = fraction.size() > 9 && fraction.find_first_not_of('0', 9) != fraction.npos;
	constexpr std::uint64_t most = 1ULL << 62;
	std::int64_t seconds = static_cast<std::int64_t>(pax_number(whole, most).value_or(most));
	if (is_negative) {
		seconds = -seconds;
		nanoseconds = -nanoseconds - has_rest;
		if (nanoseconds < 0) {
			seconds--;
			nanoseconds += second_ns;
		}
	}
	return nanoseconds_of({static_cast<time_t>(seconds), static_cast<long>(nanoseconds)});
}

std::string pax_time_text(std::int64_t time_ns)
{
	std::int64_t seconds = time_ns / second_ns, nanoseconds = time_ns % second_ns;
	const bool is_negative = time_ns < 0;
	if (is_negative) {
		seconds = -seconds;
		nanoseconds = -nanoseconds;
	}
	std::string text = (is_negative ? "-" : "") + std::to_string(seconds);
	if (nanoseconds == 0)
		return text;
	std::string fraction = std::to_string(nanoseconds);
	fraction.insert(0, 9 - fraction.size(), '0');
	fraction.erase(fraction.find_last_not_of('0') + 1);
	return text + '.' + fraction;
}

} // namespace dig
