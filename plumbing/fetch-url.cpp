// dig-fetch-url: the bytes behind a URL, in order, in constant memory.
//
// An object is fetched in parts.  The first request asks for the first 8 MiB.  Its answer says how large the
// object is and what identifies it, the validator.  From then on each request has the validator as a
// condition, and each answer is held against it: so whatever a server, a cache or a retry does, all bytes are
// of one object, or the tool fails.  Without a validator everything has to come by one answer.
//
// The rest is fetched in one part or, where that is faster, in parts of 8 MiB over several connections.  The
// part in front goes out as it comes.  The others wait in memory, which bounds it.
//
// Everything is one thread: libcurl's "multi" has the connections.  While the reader of the output makes us
// wait, no server can send, so that this time counts for no limit.
#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "libdig/base/endian.h"
#include "libdig/fetch/fetch_frames.h"
#include "libdig/fetch/fetch_retries.h"
#include "libdig/fetch/fetch_target.h"
#include "libdig/fetch/file_source.h"
#include "libdig/fetch/object_judge.h"
#include "libdig/fetch/validator.h"
#include "libdig/format/settings.h"
#include "libdig/network/easy_request.h"
#include "libdig/os/clock.h"
#include "libdig/tool/command.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] = "dig-fetch-url [--resume-from=N] [--if-same=VALIDATOR] URL\n"
				"dig-fetch-url --batch";

constexpr std::uint64_t part_size = 8_MiB;
constexpr std::uint64_t parallel_limit = 64_MiB; // smaller objects are not worth more connections
constexpr double fast_enough = 1e8; // bytes a second of one connection
constexpr std::uint64_t least_speed = 1024; // bytes a second
constexpr std::size_t output_piece = 64_KiB;
constexpr long max_idle_connections = 8; // that are kept for the next request of a batch
constexpr std::size_t max_refusal = 64_KiB; // of the body that comes with an error
constexpr std::uint64_t second_ns = 1'000'000'000;

class Download;

struct FetchPart {
	explicit FetchPart(std::uint64_t most_retries) : retries(most_retries) {}
	bool is_complete() const { return end && next == *end; }

	std::uint64_t begin = 0, next = 0; // next: the first byte that is missing
	std::optional<std::uint64_t> end;  // nothing: to the end of the object
	Buffer kept;                       // what came, and waits for its turn
	std::uint64_t attempt_began = 0;
	FetchRetries retries;
	std::int64_t due_ns = 0;
	std::unique_ptr<class Request> request;
};

using MultiHandle = std::unique_ptr<CURLM, CurlEnding<curl_multi_cleanup>>;

// One request and its answer.
class Request {
public:
	Request(Download &download, FetchPart &part, CURLM *multi);
	~Request() { curl_multi_remove_handle(multi_, easy_.handle()); }
	Request(const Request &) = delete;

	// Sets what has to be set, and starts.
	void start(const FetchTarget &target, const Settings::Fetch &limits, const std::string &range,
		const std::string &validator);

	// What a callback has thrown.
	std::exception_ptr failure;
	ResponseHead head;
	std::optional<JudgedAnswer::Kind> kind;
	std::string refusal;                    // the body of an answer that is an error
	std::uint64_t skipped = 0;              // bytes that come again and are not wanted
	std::optional<std::uint64_t> body_end;  // where in the object its body ends
	std::int64_t window_ns = 0, blocked_ns = 0;
	std::uint64_t window_bytes = 0; // that have come since then
	std::optional<std::uint64_t> asked_end;

	FetchPart &part() { return part_; }
	std::string error_text(CURLcode code) const { return easy_.error_text(code); }
	// Of SFTP there is no head; size and time are known with the first byte, or the end of nothing.
	void make_head(bool is_end);

private:
	static std::size_t take_header(char *line, std::size_t, std::size_t size, void *request);
	static std::size_t take_body(char *bytes, std::size_t, std::size_t size, void *request);

	Download &download_;
	FetchPart &part_;
	CURLM *multi_;
	EasyRequest easy_;
	bool is_http_ = true;
};

static void check(CURLMcode code)
{
	if (code != CURLM_OK)
		throw Error(std::string("libcurl has failed: ") + curl_multi_strerror(code));
}

class Download {
public:
	Download(CURLM *multi, const FetchTarget &target, const FetchRequest &request, const Settings::Fetch &limits,
		FetchSink &sink)
		: multi_(multi), target_(target), wanted_(request), limits_(limits), sink_(sink), began_ns_(clock_ns()),
		  planned_(request.offset), judge_(request, limits.max_size)
	{
		// What is whole already is asked for by its last byte, since no range is empty.
		if (wanted_.size && wanted_.offset == *wanted_.size && wanted_.offset > 0)
			planned_--;
		is_open_ended_ = !target.is_http || (planned_ > 0 && wanted_.validator.empty());
		add_part(is_open_ended_ ? std::nullopt : std::optional(planned_ + part_size));
		start_due();
	}

	void run()
	{
		while (!parts_.empty()) {
			check_interrupted();
			int running = 0;
			check(curl_multi_perform(multi_, &running));
			flush();
			take_messages();
			check_limits();
			advance();
			start_due();
			if (!parts_.empty())
				check(curl_multi_poll(multi_, nullptr, 0, running > 0 ? 100 : 20, nullptr));
		}
	}

	// For the callbacks of requests.
	void take_body(Request &request, Bytes bytes);

private:
	void add_part(std::optional<std::uint64_t> end);
	void start_due();
	void take_messages();
	void take_end(Request &request, CURLcode code);
	void judge(Request &request, bool is_end);
	void try_again(FetchPart &part, const std::string &why, std::uint64_t wait_s = 0);
	void check_limits();
	void advance();
	void plan();
	void put(Bytes bytes);
	void flush();

	CURLM *multi_;
	const FetchTarget &target_;
	const FetchRequest &wanted_;
	const Settings::Fetch &limits_;
	FetchSink &sink_;
	std::int64_t began_ns_, blocked_ns_ = 0;
	std::deque<std::unique_ptr<FetchPart>> parts_; // in order; the first goes out as it comes
	std::uint64_t planned_; // up to here there are parts
	ObjectJudge judge_;
	bool is_open_ended_ = false; // no request may ask for a part that ends
	bool has_begun_ = false;
	Buffer ready_; // to go out at once: libcurl hands over 16 KiB at a time
	std::uint64_t put_bytes_ = 0;
	std::uint64_t connections_ = 0; // once it is decided
};

// --- a request --------------------------------------------------------------------------------

Request::Request(Download &download, FetchPart &part, CURLM *multi) : download_(download), part_(part), multi_(multi) {}

void Request::start(const FetchTarget &target, const Settings::Fetch &limits, const std::string &range,
	const std::string &validator)
{
	is_http_ = target.is_http;
	easy_.aim(target, limits.stall_time, limits.max_redirects);
	easy_.set(CURLOPT_PRIVATE, static_cast<void *>(this));
	easy_.set(CURLOPT_HEADERFUNCTION, &Request::take_header);
	easy_.set(CURLOPT_HEADERDATA, static_cast<void *>(this));
	easy_.set(CURLOPT_WRITEFUNCTION, &Request::take_body);
	easy_.set(CURLOPT_WRITEDATA, static_cast<void *>(this));
	easy_.set(CURLOPT_FILETIME, 1L);
	if (const auto etag = validator_value(validator, "etag"))
		easy_.add_header("If-Match: " + *etag);
	if (const auto date = validator_value(validator, "date"))
		easy_.add_header("If-Unmodified-Since: " + *date);
	if (!range.empty())
		easy_.set(CURLOPT_RANGE, range.c_str());
	easy_.end_headers();
	window_ns = clock_ns();
	curl_multi_add_handle(multi_, easy_.handle());
}

// Nothing may be thrown through libcurl.  What is returned ends the transfer.
std::size_t Request::take_header(char *line, std::size_t, std::size_t size, void *request)
{
	Request &self = *static_cast<Request *>(request);
	try {
		self.window_bytes += size;
		if (self.is_http_)
			self.head.take_line({line, size});
		return size;
	} catch (...) {
		self.failure = std::current_exception();
		return 0;
	}
}

std::size_t Request::take_body(char *bytes, std::size_t, std::size_t size, void *request)
{
	Request &self = *static_cast<Request *>(request);
	try {
		self.window_bytes += size;
		self.download_.take_body(self, bytes_of(std::string_view(bytes, size)));
		return size;
	} catch (...) {
		self.failure = std::current_exception();
		return size == 0 ? 1 : 0;
	}
}

void Request::make_head(bool is_end)
{
	curl_off_t length = is_end && part_.next == 0 ? 0 : -1, time = -1, told = -1;
	curl_easy_getinfo(easy_.handle(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
	length = told < 0 ? length : told;
	curl_easy_getinfo(easy_.handle(), CURLINFO_FILETIME_T, &time);
	if (length < 0)
		throw FetchError("the server does not tell the size of the file");
	// A file may change twice within its second.
	const bool is_settled = time > 0 && time + 60 < now_ns() / static_cast<std::int64_t>(second_ns);
	head = ResponseHead::made_of(part_.next, part_.next + static_cast<std::uint64_t>(length),
		is_settled ? "time:" + std::to_string(time) : "");
}

// --- answers ----------------------------------------------------------------------------------

void Download::take_body(Request &request, Bytes bytes)
{
	if (!request.kind)
		judge(request, false);
	if (request.kind == JudgedAnswer::Kind::refused) {
		if (request.refusal.size() + bytes.size() > max_refusal)
			throw refusal(target_, request.head, request.refusal);
		request.refusal += text_of(bytes);
		return;
	}
	FetchPart &part = request.part();
	const std::uint64_t skipped = std::min<std::uint64_t>(request.skipped, bytes.size());
	request.skipped -= skipped;
	bytes = bytes.subspan(skipped);
	if (request.body_end && part.next + bytes.size() > *request.body_end)
		throw FetchError("the server sends more than it has announced");
	if (limits_.max_size > 0 && part.next + bytes.size() > limits_.max_size)
		throw FetchError("it is larger than fetch.max_size");
	part.next += bytes.size();
	if (&part == parts_.front().get())
		return put(bytes);
	if (part.kept.capacity() == 0)
		part.kept.reserve(part_size);
	append(part.kept, bytes);
}

void Download::judge(Request &request, bool is_end)
{
	if (!target_.is_http)
		request.make_head(is_end);
	FetchPart &part = request.part();
	const JudgedAnswer answer = judge_.judge(request.head, {part.next, request.asked_end});
	request.kind = answer.kind;
	if (answer.kind == JudgedAnswer::Kind::anew) {
		part.end.reset();
		throw FetchError("begin anew", true);
	}
	if (answer.kind == JudgedAnswer::Kind::refused)
		return;
	request.skipped = answer.skipped;
	request.body_end = answer.end;
	const FetchedObject &object = *judge_.known();
	part.end = answer.is_whole ? answer.end : std::min(part.end.value_or(*object.size), *object.size);
	if (parts_.back().get() == &part)
		planned_ = part.end.value_or(~std::uint64_t(0));
	if (!std::exchange(has_begun_, true))
		sink_.begin(object);
}

// --- the parts --------------------------------------------------------------------------------

void Download::add_part(std::optional<std::uint64_t> end)
{
	auto part = std::make_unique<FetchPart>(limits_.retries);
	part->begin = part->next = part->attempt_began = planned_;
	part->end = end;
	planned_ = end.value_or(~std::uint64_t(0));
	parts_.push_back(std::move(part));
}

void Download::start_due()
{
	for (const std::unique_ptr<FetchPart> &part : parts_) {
		if (part->request || part->is_complete() || part->due_ns > clock_ns())
			continue;
		part->attempt_began = part->next;
		part->request = std::make_unique<Request>(*this, *part, multi_);
		Request &request = *part->request;
		std::string range;
		// A server that has answered with the whole would do so again.
		const bool is_whole = judge_.known() && !judge_.has_ranges();
		if (!is_open_ended_ && !judge_.needs_one_answer())
			request.asked_end = part->end;
		if (!is_whole && (part->next > 0 || request.asked_end))
			range = std::to_string(part->next) + '-';
		if (!is_whole && request.asked_end)
			range += std::to_string(*request.asked_end - 1);
		request.blocked_ns = blocked_ns_;
		request.start(target_, limits_, range, judge_.validator());
	}
}

void Download::take_messages()
{
	for (int left = 0; const CURLMsg *message = curl_multi_info_read(multi_, &left);) {
		char *request = nullptr;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		if (message->msg == CURLMSG_DONE)
			take_end(*reinterpret_cast<Request *>(request), message->data.result);
	}
}

void Download::take_end(Request &request, CURLcode code)
{
	FetchPart &part = request.part();
	const std::unique_ptr<Request> ended = std::move(part.request);
	try {
		if (request.failure)
			std::rethrow_exception(request.failure);
		if (code == CURLE_OK && !request.kind)
			judge(request, true);
		if (request.kind == JudgedAnswer::Kind::refused)
			throw refusal(target_, request.head, request.refusal);
	} catch (const FetchError &error) {
		if (!error.may_pass())
			throw;
		return try_again(part, error.what(), request.head.retry_after().value_or(0));
	}
	if (code != CURLE_OK) {
		if (!may_pass(code))
			throw FetchError(request.error_text(code));
		return try_again(part, request.error_text(code));
	}
	// The end is where the answer ended.
	if (!part.end)
		part.end = part.next;
	if (!part.is_complete())
		try_again(part, "the server ends before the size that it has announced");
}

void Download::try_again(FetchPart &part, const std::string &why, std::uint64_t wait_s)
{
	if (judge_.known() && judge_.validator().empty() && put_bytes_ > 0)
		throw ObjectChanged(why + "; the server gives nothing that proves the object to be the same later",
			exit_status::network);
	// To ask for all in one answer is no failure.
	if (judge_.needs_one_answer() && !has_begun_ && part.retries.is_first())
		return part.retries.pass();
	const auto wait_ns = part.retries.next(part.next - part.attempt_began, wait_s, part.begin / part_size);
	if (!wait_ns)
		throw FetchError(why);
	part.due_ns = clock_ns() + *wait_ns;
}

void Download::check_limits()
{
	const std::int64_t now = clock_ns();
	if (limits_.max_time > 0 && now - began_ns_ - blocked_ns_ > static_cast<std::int64_t>(limits_.max_time * second_ns))
		throw FetchError("it takes longer than fetch.max_time");
	for (const std::unique_ptr<FetchPart> &part : parts_) {
		if (!part->request)
			continue;
		Request &request = *part->request;
		const std::int64_t passed = now - request.window_ns - (blocked_ns_ - request.blocked_ns);
		if (passed < static_cast<std::int64_t>(limits_.stall_time * second_ns))
			continue;
		if (request.window_bytes < limits_.stall_time * least_speed) {
			part->request.reset();
			try_again(*part, "the server has sent next to nothing for " + std::to_string(limits_.stall_time) + " s");
			continue;
		}
		request.window_ns = now;
		request.blocked_ns = blocked_ns_;
		request.window_bytes = 0;
	}
}

void Download::put(Bytes bytes)
{
	// What is only asked for to see whether the object is still the same.
	const std::uint64_t at = parts_.front()->next - bytes.size();
	if (at < wanted_.offset)
		bytes = bytes.subspan(std::min<std::uint64_t>(wanted_.offset - at, bytes.size()));
	if (bytes.empty())
		return;
	append(ready_, bytes);
	put_bytes_ += bytes.size();
	if (ready_.size() >= output_piece)
		flush();
}

void Download::flush()
{
	const std::int64_t before = clock_ns();
	sink_.take(ready_);
	ready_.clear();
	blocked_ns_ += clock_ns() - before;
}

void Download::advance()
{
	while (!parts_.empty() && parts_.front()->is_complete()) {
		parts_.pop_front();
		plan();
		if (parts_.empty())
			return;
		flush();
		ready_ = std::move(parts_.front()->kept);
		put_bytes_ += ready_.size();
		flush();
	}
}

void Download::plan()
{
	if (!judge_.has_ranges())
		return;
	const std::uint64_t size = *judge_.known()->size;
	if (connections_ == 0) {
		const double passed_s = static_cast<double>(clock_ns() - began_ns_) / second_ns;
		const bool is_fast = static_cast<double>(put_bytes_) >= passed_s * fast_enough;
		connections_ = size < parallel_limit || !target_.is_http ? 1
			: limits_.connections > 0 ? limits_.connections : is_fast ? 1 : 4;
	}
	while (planned_ < size && parts_.size() < connections_)
		add_part(connections_ == 1 ? size : std::min(planned_ + part_size, size));
}

// Throws FetchError and ObjectChanged, whose messages name the URL.
static void fetch(CURLM *multi, const Settings::Fetch &limits, const FetchRequest &request, FetchSink &sink)
{
	const Url url = parse_url(request.url);
	try {
		if (url.scheme == Url::Scheme::file)
			return fetch_file(url, request, sink);
		if (url.scheme == Url::Scheme::ssh)
			return fetch_by_ssh(url, request, sink);
		const FetchTarget target = fetch_target_of(url);
		Download(multi, target, request, limits, sink).run();
	} catch (const FetchError &error) {
		throw FetchError("cannot fetch " + quote(url.shown()) + ": " + error.what());
	} catch (const ObjectChanged &error) {
		throw ObjectChanged("cannot fetch " + quote(url.shown()) + ": " + error.what(), error.status());
	}
}

static int fetch_batch(CURLM *multi, const Settings::Fetch &limits)
{
	FrameWriter sink([](Bytes bytes) { standard_output().write(bytes); }, [] { standard_output().flush(); });
	RecordReader list = RecordReader::standard_input(RecordEnd::newline);
	while (const std::optional<std::string_view> text = list.next()) {
		const std::optional<FetchRequest> request = FetchRequest::parse(*text);
		if (!request)
			throw Error("a request is not 'OFFSET SP SIZE SP VALIDATOR TAB URL'");
		FetchEnd end;
		try {
			fetch(multi, limits, *request, sink);
		} catch (const ObjectChanged &) {
			end.kind = FetchEnd::Kind::changed;
		} catch (const Error &error) {
			if (interrupted() || dynamic_cast<const ReaderGone *>(&error))
				throw;
			end = {FetchEnd::Kind::failed, shown_text(error.what()).substr(0, max_fetch_line / 2)};
		}
		sink.end(end);
	}
	return exit_status::done;
}

static int fetch_url(Options &options)
{
	FetchRequest request;
	bool is_batch = false;
	std::vector<std::string> urls;
	options.value("resume-from", 0, request.offset, "N", "begin at this byte, counted from 0")
		.value("if-same", 0, request.validator, "VALIDATOR", "only if the object is still this one")
		.flag("batch", 0, is_batch, "answer requests on standard input")
		.positional(urls, 0, 1)
		.parse();
	if (is_batch != urls.empty() || (is_batch && (request.offset > 0 || !request.validator.empty())))
		throw UsageError("give a URL, or --batch and nothing else");
	if (!request.validator.empty() && !is_validator(request.validator))
		throw UsageError("--if-same takes what dig-fetch-url has told of an object");
	const Settings::Fetch limits = load_settings({}).fetch;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	const MultiHandle multi(curl_multi_init());
	if (!multi)
		throw std::bad_alloc();
	check(curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, max_idle_connections));
	if (is_batch)
		return fetch_batch(multi.get(), limits);
	request.url = urls[0];
	PlainWriter sink([](Bytes bytes) { standard_output().write(bytes); });
	fetch(multi.get(), limits, request, sink);
	return exit_status::done;
}

int dig_fetch_url_main(int argc, char **argv) { return run(argc, argv, usage, fetch_url); }
