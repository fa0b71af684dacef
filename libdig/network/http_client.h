// Requests of HTTP one after the other, whose connections are kept.  A server is not trusted: heads, bodies and
// silence have limits.
//
//     HttpAnswer answer = client.ask(request);   // throws LostAnswer where there was no whole one
#ifndef DIG_HTTP_CLIENT_H
#define DIG_HTTP_CLIENT_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libdig/fetch/fetch_retries.h"
#include "libdig/fetch/fetch_target.h"
#include "libdig/format/settings.h"
#include "libdig/os/file.h"

namespace dig {

struct HttpRequest {
	FetchTarget target;
	std::string method = "GET"; // or PUT, DELETE
	std::string range;          // "a-b"
	std::vector<std::string> headers;
	// Of PUT.
	const File *body = nullptr;
	std::uint64_t body_size = 0;
	std::string body_sha256; // in hexadecimal
	// The bytes of an answer with a status below 300; what it throws ends the request.
	std::function<void(const ResponseHead &head, Bytes bytes)> take;
};

struct HttpAnswer {
	ResponseHead head;
	std::string refusal;        // the body of any other answer
	bool was_sent_again = false; // libcurl has begun the body anew: the first one may have arrived, too
};

// What a server has done is not known: there was no answer, or only a part of one.
class LostAnswer : public FetchError {
public:
	using FetchError::FetchError;
};

class HttpClient {
public:
	explicit HttpClient(const Settings::Fetch &limits);
	~HttpClient();

	HttpAnswer ask(const HttpRequest &request);
	// Waits before the next attempt; false if there may be none.
	static bool wait_for_retry(FetchRetries &retries, std::uint64_t bytes, std::uint64_t asked_s);
	const Settings::Fetch &limits() const { return limits_; }

private:
	class Exchange;
	struct Connection;

	Settings::Fetch limits_;
	std::unique_ptr<Connection> connection_;
};

} // namespace dig

#endif
