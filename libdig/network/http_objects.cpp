#include "libdig/network/http_objects.h"

#include "libdig/network/http_range.h"
#include "libdig/os/process.h"
#include "libdig/remote/remote_layout.h"

namespace dig {

constexpr std::uint64_t most_records = 1'000'000; // a server could go on for ever

HttpObjects::HttpObjects(const std::string &text, const Settings::Fetch &limits) : client_(limits)
{
	const Url url = parse_url(text);
	if (url.scheme != Url::Scheme::http && url.scheme != Url::Scheme::https)
		throw UsageError("a URL of http:// or https:// is needed");
	if (url.user)
		throw UsageError("a URL of a remote has no user, since others can see it");
	if (url.path.find('?') != url.path.npos)
		throw UsageError("a URL of a remote has no query, since keys come behind it");
	url_ = url.object();
	while (url_.ends_with('/'))
		url_.pop_back();
}

std::optional<RemoteObjects::Part> HttpObjects::get(const std::string &key, std::uint64_t offset, std::uint64_t size)
{
	try {
		return get_by_http(client_, fetch_target_of(parse_url(url_ + "/" + key)), offset, size);
	} catch (const FetchError &error) {
		throw FetchError("cannot get " + quote(key) + ": " + error.what());
	}
}

static Error read_only() { return Error("this remote is read only"); }

bool HttpObjects::put_new(const std::string &, std::uint64_t, const Content &) { throw read_only(); }

bool HttpObjects::remove(const std::string &) { throw read_only(); }

void HttpObjects::list(const std::string &prefix, const std::string &after, const Take &take)
{
	if (prefix != roots_prefix)
		throw Error("a server of HTTP lists nothing but " + std::string(roots_prefix));
	const std::optional<std::uint64_t> last = after.empty() ? 0 : generation_of_key(after);
	if (!last)
		throw Error(quote(after) + " is no key of a record");
	for (std::uint64_t number = *last + 1;; number++) {
		check_interrupted();
		const std::string key = root_key(number);
		const std::optional<Part> part = get(key, 0, 0);
		if (!part)
			return;
		if (number - *last > most_records)
			throw Error("the server has more than " + std::to_string(most_records) + " records");
		take(key, part->total);
	}
}

std::string HttpObjects::check() { return "http ranges; read only"; }

} // namespace dig
