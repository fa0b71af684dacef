#include "libdig/tool/time_text.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace dig {

std::string time_text(std::int64_t seconds)
{
	std::tm parts;
	const std::time_t time = seconds;
	// localtime_r() need not look at TZ again, and use_utc() may have changed it.
	::tzset();
	if (!::localtime_r(&time, &parts))
		return std::to_string(seconds) + " s";
	char text[64];
	// tm_year counts from 1900 in an int, and the sum may need more.
	std::snprintf(text, sizeof text, "%04lld-%02d-%02d %02d:%02d:%02d ",
		static_cast<long long>(parts.tm_year) + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
		parts.tm_min, parts.tm_sec);
	char zone[16];
	std::strftime(zone, sizeof zone, "%z", &parts);
	return text + (std::string_view(parts.tm_zone) == "UTC" ? std::string("UTC") : zone);
}

void use_utc() { ::setenv("TZ", "UTC", 1); }

} // namespace dig
