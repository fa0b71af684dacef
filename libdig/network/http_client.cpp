#include "libdig/network/http_client.h"

#include <algorithm>
#include <utility>

#include "libdig/network/easy_request.h"
#include "libdig/os/process.h"
#include "libdig/watch/metrics.h"

namespace dig {

constexpr long least_speed = 1024;             // bytes a second
constexpr std::size_t max_refusal = 64 * 1024; // of the body that comes with an error
constexpr std::int64_t second_ns = 1'000'000'000;

struct HttpClient::Connection {
	EasyRequest easy;
};

// One request and its answer.  Nothing may be thrown through libcurl.
class HttpClient::Exchange {
public:
	Exchange(EasyRequest &easy, const HttpRequest &request, const Settings::Fetch &limits)
		: easy_(easy), request_(request), limits_(limits), began_ns_(clock_ns())
	{
		easy.reset();
		easy.aim(request.target, limits.stall_time, limits.max_redirects,
			request.body ? request.body_sha256 : std::string(empty_sha256));
		for (const std::string &header : request.headers)
			easy.add_header(header);
		easy.end_headers();
		if (!request.range.empty())
			easy.set(CURLOPT_RANGE, request.range.c_str());
		// A server that is slower than that is taken for one that has gone.
		easy.set(CURLOPT_LOW_SPEED_LIMIT, least_speed);
		easy.set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stall_time));
		easy.set(CURLOPT_NOPROGRESS, 0L);
		easy.set(CURLOPT_XFERINFOFUNCTION, &Exchange::look_around);
		easy.set(CURLOPT_XFERINFODATA, static_cast<void *>(this));
		easy.set(CURLOPT_HEADERFUNCTION, &Exchange::take_header);
		easy.set(CURLOPT_HEADERDATA, static_cast<void *>(this));
		easy.set(CURLOPT_WRITEFUNCTION, &Exchange::take_body);
		easy.set(CURLOPT_WRITEDATA, static_cast<void *>(this));
		if (request.body) {
			easy.set(CURLOPT_UPLOAD, 1L);
			easy.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body_size));
			easy.set(CURLOPT_READFUNCTION, &Exchange::give_body);
			easy.set(CURLOPT_READDATA, static_cast<void *>(this));
			easy.set(CURLOPT_SEEKFUNCTION, &Exchange::seek_body);
			easy.set(CURLOPT_SEEKDATA, static_cast<void *>(this));
		} else if (request.method != "GET") {
			easy.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
		}
	}

	HttpAnswer run()
	{
		const CURLcode code = curl_easy_perform(easy_.handle());
		check_interrupted();
		if (failure_)
			rethrow();
		if (code != CURLE_OK)
			throw LostAnswer(easy_.error_text(code), may_pass(code));
		if (answer_.head.status() < 300 && request_.take)
			request_.take(answer_.head, {});
		return std::move(answer_);
	}

private:
	// An answer that cannot be used is as good as lost.
	[[noreturn]] void rethrow() const
	{
		try {
			std::rethrow_exception(failure_);
		} catch (const FetchError &error) {
			throw LostAnswer(error.what(), error.may_pass());
		}
	}

	template <typename Act> bool guarded(const Act &act)
	{
		try {
			act();
			return true;
		} catch (...) {
			failure_ = std::current_exception();
			return false;
		}
	}

	static std::size_t take_header(char *line, std::size_t, std::size_t size, void *exchange)
	{
		Exchange &self = *static_cast<Exchange *>(exchange);
		return self.guarded([&] { self.answer_.head.take_line({line, size}); }) ? size : 0;
	}

	static std::size_t take_body(char *bytes, std::size_t, std::size_t size, void *exchange)
	{
		Exchange &self = *static_cast<Exchange *>(exchange);
		return self.guarded([&] { self.take({bytes, size}); }) ? size : size == 0 ? 1 : 0;
	}

	void take(std::string_view bytes)
	{
		if (answer_.head.status() < 300) {
			if (request_.take)
				return request_.take(answer_.head, bytes_of(bytes));
			if ((ignored_ += bytes.size()) > max_refusal)
				throw FetchError("the server sends a body where none belongs");
			return;
		}
		if (answer_.refusal.size() + bytes.size() > max_refusal)
			throw refusal(request_.target, answer_.head, answer_.refusal);
		answer_.refusal += bytes;
	}

	static std::size_t give_body(char *window, std::size_t, std::size_t size, void *exchange)
	{
		Exchange &self = *static_cast<Exchange *>(exchange);
		const std::uint64_t n = std::min<std::uint64_t>(size, self.request_.body_size - self.sent_);
		const bool is_read = self.guarded([&] {
			self.request_.body->read_exactly_at({reinterpret_cast<std::uint8_t *>(window), n}, self.sent_);
		});
		self.sent_ += n;
		return is_read ? n : CURL_READFUNC_ABORT;
	}

	static int seek_body(void *exchange, curl_off_t offset, int origin)
	{
		Exchange &self = *static_cast<Exchange *>(exchange);
		if (origin != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > self.request_.body_size)
			return CURL_SEEKFUNC_FAIL;
		self.answer_.was_sent_again = self.answer_.was_sent_again || self.sent_ > 0;
		self.sent_ = static_cast<std::uint64_t>(offset);
		return CURL_SEEKFUNC_OK;
	}

	// Once a second at least.
	static int look_around(void *exchange, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
	{
		Exchange &self = *static_cast<Exchange *>(exchange);
		const bool may_go_on = self.guarded([&] {
			const auto limit_ns = static_cast<std::int64_t>(self.limits_.max_time) * second_ns;
			if (limit_ns > 0 && clock_ns() - self.began_ns_ > limit_ns)
				throw FetchError("it takes longer than fetch.max_time");
		});
		return interrupted() || !may_go_on ? 1 : 0;
	}

	EasyRequest &easy_;
	const HttpRequest &request_;
	const Settings::Fetch &limits_;
	std::int64_t began_ns_;
	HttpAnswer answer_;
	std::exception_ptr failure_;
	std::uint64_t sent_ = 0, ignored_ = 0;
};

HttpClient::HttpClient(const Settings::Fetch &limits) : limits_(limits)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	connection_ = std::make_unique<Connection>();
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::ask(const HttpRequest &request)
{
	check_interrupted();
	return Exchange(connection_->easy, request, limits_).run();
}

bool HttpClient::wait_for_retry(FetchRetries &retries, std::uint64_t bytes, std::uint64_t asked_s)
{
	const std::optional<std::int64_t> wait_ns = retries.next(bytes, asked_s, 0);
	if (!wait_ns)
		return false;
	pause_for(*wait_ns);
	return true;
}

} // namespace dig
