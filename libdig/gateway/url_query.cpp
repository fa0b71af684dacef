#include "libdig/gateway/url_query.h"

#include "libdig/fetch/url.h"

namespace dig {

std::optional<std::string> query_value(std::string_view query, std::string_view name)
{
	for (;;) {
		const std::size_t end = query.find('&');
		const std::string_view field = query.substr(0, end);
		const std::size_t equals = field.find('=');
		if (field.substr(0, equals) == name)
			return percent_decoded(equals == field.npos ? "" : field.substr(equals + 1));
		if (end == query.npos)
			return {};
		query.remove_prefix(end + 1);
	}
}

} // namespace dig
