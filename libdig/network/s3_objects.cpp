#include "libdig/network/s3_objects.h"

#include <algorithm>

#include "libdig/base/digest.h"
#include "libdig/fetch/s3_listing.h"
#include "libdig/network/http_range.h"
#include "libdig/os/environment.h"

namespace dig {

constexpr std::uint64_t largest_put = 5'000'000'000; // of one request
constexpr std::uint64_t compared_at_once = 8_MiB;
constexpr std::size_t spool_window = 1_MiB;
constexpr std::size_t longest_prefix = 700;           // a name in a bucket has at most 1024 bytes
constexpr std::uint64_t most_objects = 10'000'000; // a server could go on for ever

S3Objects::S3Objects(const std::string &text, const Settings::Fetch &limits) : client_(limits)
{
	std::string trimmed = text;
	while (trimmed.ends_with('/'))
		trimmed.pop_back();
	// As the URL of an object, which alone is one.
	place_ = parse_url(trimmed + "/x");
	if (place_.scheme != Url::Scheme::s3)
		throw UsageError("a URL as s3://BUCKET/PREFIX is needed");
	prefix_ = place_.path.substr(1, place_.path.size() - 2);
	if (prefix_.size() > longest_prefix)
		throw UsageError("the prefix of a remote has at most " + std::to_string(longest_prefix) + " bytes");
}

// Credentials may be other ones than a moment ago.
FetchTarget S3Objects::target_of(const std::string &key) const
{
	Url url = place_;
	url.path = "/" + prefix_ + key;
	return fetch_target_of(url);
}

// An answer below 300, or 404 for an object.
HttpAnswer S3Objects::ask(const HttpRequest &request, const std::function<void()> &begin)
{
	FetchRetries retries(client_.limits().retries);
	for (;;) {
		std::uint64_t asked_s = 0;
		try {
			begin();
			HttpAnswer answer = client_.ask(request);
			asked_s = answer.head.retry_after().value_or(0);
			const bool is_missing =
				answer.head.status() == 404 && answer.refusal.find("<Code>NoSuchBucket<") == std::string::npos;
			if (answer.head.status() < 300 || is_missing)
				return answer;
			throw refusal(request.target, answer.head, answer.refusal);
		} catch (const FetchError &error) {
			if (!error.may_pass() || !client_.wait_for_retry(retries, 0, asked_s))
				throw;
		}
	}
}

static Error failed(const char *what, const std::string &key, const FetchError &error)
{
	return FetchError(std::string("cannot ") + what + " " + quote(key) + ": " + error.what());
}

std::optional<RemoteObjects::Part> S3Objects::get(const std::string &key, std::uint64_t offset, std::uint64_t size)
{
	try {
		return get_by_http(client_, target_of(key), offset, size);
	} catch (const FetchError &error) {
		throw failed("get", key, error);
	}
}

bool S3Objects::put_new(const std::string &key, std::uint64_t size, const Content &content)
{
	if (size > largest_put)
		throw Error("an object of S3 has at most " + std::to_string(largest_put) + " bytes here");
	// The signature comes before the bytes, and has their digest.
	Spooled spooled{File::temporary_in(temporary_directory()), size, ""};
	Hasher hasher;
	Buffer window(std::min<std::uint64_t>(size, spool_window));
	for (std::uint64_t at = 0; at < size;) {
		const MutableBytes part = MutableBytes(window).first(std::min<std::uint64_t>(size - at, window.size()));
		content(part);
		hasher.update(part);
		spooled.file.write_at(part, at);
		at += part.size();
	}
	spooled.sha256 = to_hex(hasher.finish());
	try {
		return put(key, spooled);
	} catch (const FetchError &error) {
		throw failed("put", key, error);
	}
}

bool S3Objects::put(const std::string &key, const Spooled &content)
{
	HttpRequest request;
	request.method = "PUT";
	request.headers = {"If-None-Match: *"};
	request.body = &content.file;
	request.body_size = content.size;
	request.body_sha256 = content.sha256;
	FetchRetries retries(client_.limits().retries);
	// Whether a request may have made the object, without that its answer has come.
	bool may_be_ours = false;
	for (;;) {
		std::string why;
		std::uint64_t asked_s = 0;
		try {
			request.target = target_of(key);
			const HttpAnswer answer = client_.ask(request);
			const int status = answer.head.status();
			asked_s = answer.head.retry_after().value_or(0);
			may_be_ours = may_be_ours || answer.was_sent_again;
			if (status == 200)
				return true;
			if (status == 412 && !may_be_ours)
				return false;
			const FetchError refused = refusal(request.target, answer.head, answer.refusal);
			if (status >= 300 && status != 409 && status != 412 && !refused.may_pass())
				throw FetchError(refused.what() + std::string(status == 501 ?
					"; it makes no object only if there is none" : ""));
			why = refused.what();
		} catch (const LostAnswer &lost) {
			why = lost.what();
		}
		may_be_ours = true;
		try {
			if (const std::optional<bool> found = is_same(key, content))
				return *found;
		} catch (const FetchError &error) {
			throw FetchError(why + "; whether the object was made is not known: " + error.what());
		}
		if (!client_.wait_for_retry(retries, 0, asked_s))
			throw FetchError(why);
	}
}

std::optional<bool> S3Objects::is_same(const std::string &key, const Spooled &content)
{
	Buffer own;
	for (std::uint64_t at = 0;;) {
		const std::optional<Part> part =
			get_by_http(client_, target_of(key), at, std::min(compared_at_once, content.size - at));
		if (!part && at > 0)
			throw FetchError("the object has gone while it was compared");
		if (!part)
			return {};
		if (part->total != content.size)
			return false;
		own.resize(part->bytes.size());
		content.file.read_exactly_at(own, at);
		if (own != part->bytes)
			return false;
		at += own.size();
		if (at == content.size)
			return true;
		if (own.empty())
			throw FetchError("the server sends less than the object has");
	}
}

std::string S3Objects::ask_list(const std::string &query)
{
	HttpRequest request;
	request.target = target_of("");
	// The list is of the bucket, whose URL has no key.
	const std::string key = percent_encoded(prefix_, "/");
	request.target.url.resize(request.target.url.size() - key.size());
	request.target.url += "?" + query;
	std::string xml;
	request.take = [&](const ResponseHead &, Bytes bytes) {
		if (xml.size() + bytes.size() > max_s3_listing)
			throw FetchError("the server sends a list that is too long");
		xml += text_of(bytes);
	};
	const HttpAnswer answer = ask(request, [&] { xml.clear(); });
	if (answer.head.status() != 200)
		throw refusal(request.target, answer.head, answer.refusal);
	return xml;
}

// Parameters stand in the order in which they are signed.  The next page is asked for by the last name, and not
// by its token: tokens may have a '+', which libcurl since 8.12 signs as if it were a space.
void S3Objects::list(const std::string &prefix, const std::string &after, const Take &take)
{
	const std::string wanted = prefix_ + prefix;
	std::string last = after.empty() ? std::string() : prefix_ + after;
	std::uint64_t count = 0;
	try {
		for (;;) {
			const S3Listing page = parse_s3_listing(ask_list("list-type=2&prefix=" + percent_encoded(wanted, "") +
				(last.empty() ? std::string() : "&start-after=" + percent_encoded(last, ""))));
			for (const S3Listing::Object &object : page.objects) {
				if (!object.key.starts_with(wanted) || object.key <= last)
					throw FetchError("the server lists names that were not asked for, or not in their order");
				if (++count > most_objects)
					throw FetchError("the server lists more than " + std::to_string(most_objects) + " names");
				last = object.key;
				// Others may have names of their own there.
				const std::string key = object.key.substr(prefix_.size());
				if (is_object_key(key))
					take(key, object.size);
			}
			if (!page.is_truncated)
				return;
			if (page.objects.empty())
				throw FetchError("the server lists nothing, and says that more comes");
		}
	} catch (const FetchError &error) {
		throw failed("list", prefix, error);
	}
}

bool S3Objects::remove(const std::string &key)
{
	// S3 does not say whether there was something to remove.
	if (!get(key, 0, 0))
		return false;
	try {
		HttpRequest request;
		request.target = target_of(key);
		request.method = "DELETE";
		ask(request, [] {});
	} catch (const FetchError &error) {
		throw failed("delete", key, error);
	}
	return true;
}

std::string S3Objects::check()
{
	try {
		parse_s3_listing(ask_list("list-type=2&max-keys=1&prefix=" + percent_encoded(prefix_, "")));
	} catch (const FetchError &error) {
		throw FetchError("cannot use the bucket " + quote(place_.host) + ": " + error.what());
	}
	return "s3 create-once ranges";
}

} // namespace dig
