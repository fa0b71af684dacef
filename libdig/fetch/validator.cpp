#include "libdig/fetch/validator.h"

#include <algorithm>

namespace dig {

bool is_validator(std::string_view text)
{
	const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
	if (!is_printable || text.size() > max_validator_size)
		return false;
	if (const auto etag = validator_value(text, "etag"))
		return validator_of_etag(*etag).has_value();
	if (const auto date = validator_value(text, "date"))
		return seconds_of_http_date(*date).has_value();
	for (const std::string_view kind : {"time", "file"})
		if (const auto numbers = validator_value(text, kind))
			return !numbers->empty() && numbers->find_first_not_of("0123456789.-") == numbers->npos;
	return false;
}

std::optional<std::string> validator_value(std::string_view validator, std::string_view kind)
{
	if (!validator.starts_with(kind) || validator.substr(kind.size(), 1) != ":")
		return {};
	return std::string(validator.substr(kind.size() + 1));
}

std::optional<std::string> validator_of_etag(std::string_view etag)
{
	if (etag.size() < 2 || etag.size() > max_validator_size - 5 || !etag.starts_with('"') || !etag.ends_with('"'))
		return {};
	const std::string_view inside = etag.substr(1, etag.size() - 2);
	if (!std::all_of(inside.begin(), inside.end(), [](char c) { return c >= '!' && c <= '~' && c != '"'; }))
		return {};
	return "etag:" + std::string(etag);
}

std::optional<long long> seconds_of_http_date(std::string_view text)
{
	static constexpr std::string_view form = "www, 00 mmm 0000 00:00:00 GMT";
	static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	if (text.size() != form.size())
		return {};
	for (std::size_t i = 0; i < form.size(); i++) {
		const bool is_digit = text[i] >= '0' && text[i] <= '9';
		const bool is_letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
		if (form[i] == '0' ? !is_digit : form[i] == 'w' || form[i] == 'm' ? !is_letter : text[i] != form[i])
			return {};
	}
	const auto number = [&](std::size_t at, std::size_t digits) {
		return std::stoll(std::string(text.substr(at, digits)));
	};
	const std::size_t month = months.find(text.substr(8, 3));
	if (month == months.npos || month % 3 != 0)
		return {};
	// Days from 1970 on, by years that begin in March.
	const long long m = static_cast<long long>(month / 3) + 1, y = number(12, 4) - (m <= 2);
	const long long leap_days = y / 4 - y / 100 + y / 400, before_month = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
	const long long days = 365 * y + leap_days + before_month + number(5, 2) - 1 - 719468;
	return days * 86400 + number(17, 2) * 3600 + number(20, 2) * 60 + number(23, 2);
}

std::optional<std::string> validator_of_date(std::string_view modified, std::string_view date)
{
	const std::optional<long long> then = seconds_of_http_date(modified), now = seconds_of_http_date(date);
	if (!then || !now || *now <= *then + 1)
		return {};
	return "date:" + std::string(modified);
}

} // namespace dig
