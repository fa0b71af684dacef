#include "libdig/network/url_object.h"

#include <algorithm>

#include "libdig/network/http_range.h"

namespace dig {

UrlObject::UrlObject(const std::string &text, const Settings::Fetch &limits) : client_(limits)
{
	const Url url = parse_url(text);
	if (url.scheme != Url::Scheme::http && url.scheme != Url::Scheme::https && url.scheme != Url::Scheme::s3)
		throw UsageError("parts of an object can be had by http, https and s3 only");
	target_ = fetch_target_of(url);
}

std::optional<RemoteObjects::Part> UrlObject::get(const std::string &key, std::uint64_t offset, std::uint64_t size)
{
	std::optional<Part> part;
	if (key != last_part_key)
		part = get_by_http(client_, target_, offset, size, &validator_);
	else if (total_ > 0)
		part = get_by_http(client_, target_, total_ - std::min(total_, size), size, &validator_);
	else
		part = get_end_by_http(client_, target_, size, &validator_);
	if (part && total_ > 0 && part->total != total_)
		throw FetchError("the object has changed its size");
	if (part)
		total_ = part->total;
	return part;
}

static Error read_only() { return Error("an object at a URL is read only"); }

bool UrlObject::put_new(const std::string &, std::uint64_t, const Content &) { throw read_only(); }
void UrlObject::list(const std::string &, const std::string &, const Take &) { throw read_only(); }
bool UrlObject::remove(const std::string &) { throw read_only(); }
std::string UrlObject::check() { return "parts; read only"; }

} // namespace dig
