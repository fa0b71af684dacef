// How an answer goes out depends on its size.  A small one is read into memory and sent with its head,
// at once.  One of up to a window is read and verified as a whole, and sent from where it lies.  What is
// larger is a stream, which libmicrohttpd asks for pieces.  So damage is an answer with status 500
// wherever it is known before the first byte; behind that the connection is cut, and the client sees
// that it has less than Content-Length says.
//
// libmicrohttpd ends a connection on which nothing has moved for some time.  A client that sends a byte
// every second would stay.  So each connection has a time by which its request has to be complete or
// its answer taken, and the first thread cuts those that are late.
#include "libdig/server/http_server.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <list>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>

#include "libdig/os/connection.h"
#include "libdig/os/thread.h"

namespace dig {

constexpr std::uint64_t small_answer = 64_KiB, window_answer = 1_MiB;
constexpr std::size_t large_piece = 256_KiB, small_piece = 32_KiB;
constexpr int most_large_pieces = 16; // while there are fewer streams
constexpr std::size_t connection_memory = 32_KiB; // of the head of a request and that of its answer
constexpr std::uint64_t least_rate = 4_KiB;       // bytes a second
constexpr std::uint64_t most_discarded = 1_MiB;   // of what comes behind the head of a request

using Clock = std::chrono::steady_clock;

static std::int64_t seconds_now()
{
	return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

// --- addresses ------------------------------------------------------------------------------

ListenAddress parse_listen_address(const std::string &text)
{
	const auto fail = [&](const std::string &why) -> ListenAddress {
		throw UsageError("--listen takes HOST:PORT, as 127.0.0.1:8080 or [::1]:8080, not " + quote(text) + why);
	};
	const std::size_t colon = text.rfind(':');
	if (colon == text.npos)
		return fail("");
	ListenAddress address{text.substr(0, colon), 0};
	const std::string port = text.substr(colon + 1);
	const bool is_number = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
	if (!is_number || std::stoul(port) > 65535)
		return fail(": the port is no number up to 65535");
	address.port = static_cast<std::uint16_t>(std::stoul(port));
	const bool has_brackets = address.host.starts_with('[') && address.host.ends_with(']') && address.host.size() > 2;
	if (has_brackets)
		address.host = address.host.substr(1, address.host.size() - 2);
	else if (address.host.find_first_of(":[]") != address.host.npos)
		return fail(": an address of IPv6 stands in brackets");
	return address;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

static Addresses addresses_of(const ListenAddress &address)
{
	addrinfo hints = {};
	hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_family = address.host.empty() ? AF_INET : AF_UNSPEC;
	addrinfo *found = nullptr;
	const std::string port = std::to_string(address.port);
	const char *host = address.host.empty() ? nullptr : address.host.c_str();
	const int problem = ::getaddrinfo(host, port.c_str(), &hints, &found);
	if (problem != 0)
		throw Error("cannot listen on " + quote(address.host) + ": " + ::gai_strerror(problem));
	return Addresses(found, ::freeaddrinfo);
}

bool is_loopback(const ListenAddress &address)
{
	const Addresses found = addresses_of(address);
	if (found->ai_family == AF_INET)
		return (ntohl(reinterpret_cast<const sockaddr_in *>(found->ai_addr)->sin_addr.s_addr) >> 24) == 127;
	return found->ai_family == AF_INET6 &&
		IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6 *>(found->ai_addr)->sin6_addr);
}

// --- connections and requests ---------------------------------------------------------------

namespace {

// A connection, and the time by which it has to be done with what it does.
struct Connection {
	int fd;
	std::atomic<std::int64_t> deadline_s;
	std::list<Connection>::iterator place;
};

// A request, from its first line to the end of its answer.
struct Exchange {
	std::string target;
	bool has_begun = false;
	std::uint64_t discarded = 0;
};

} // namespace

struct HttpServer::Daemon {
	Daemon(Gateway &answers, ServedContent &from, const ServerLimits &bounds)
		: gateway(answers), content(from), limits(bounds)
	{
	}

	// The callbacks of libmicrohttpd, for which these are C functions.
	static void *note_target(void *self, const char *target, MHD_Connection *);
	static MHD_Result may_connect(void *self, const sockaddr *, socklen_t);
	static void note_connection(void *self, MHD_Connection *connection, void **context,
		MHD_ConnectionNotificationCode what);
	static MHD_Result answer(void *self, MHD_Connection *connection, const char *, const char *method, const char *,
		const char *, std::size_t *upload_size, void **exchange);
	static void note_end(void *self, MHD_Connection *connection, void **exchange, MHD_RequestTerminationCode);
	static void note_message(void *self, const char *format, va_list arguments);

	MHD_Result send(MHD_Connection *connection, const std::string &target, const char *method);
	MHD_Response *response_of(HttpAnswer &answer, const std::string &target, bool is_head);
	void set_deadline(MHD_Connection *connection, std::uint64_t size);

	Gateway &gateway;
	ServedContent &content;
	ServerLimits limits;
	MHD_Daemon *daemon = nullptr;
	std::mutex mutex;
	bool has_started = false;
	std::string message; // why it did not start
	std::list<Connection> connections;
	std::atomic<int> streams = 0;
};

namespace {

// What is sent piece by piece.
struct Sent {
	Sent(Gateway &answers, std::atomic<int> &count, std::string asked, ServedContent::Stream from)
		: gateway(answers), streams(count), target(std::move(asked)), stream(std::move(from))
	{
		streams++;
	}
	~Sent() { streams--; }

	static ssize_t read(void *self, std::uint64_t, char *out, std::size_t size)
	{
		Sent &sent = *static_cast<Sent *>(self);
		try {
			const std::size_t done = sent.stream.read({reinterpret_cast<std::uint8_t *>(out), size});
			if (done > 0)
				return static_cast<ssize_t>(done);
			throw CorruptError("the content has fewer bytes than its entry says");
		} catch (const std::exception &error) {
			HttpRequest request;
			request.target = sent.target;
			sent.gateway.failure(request, error);
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
	static void end(void *self) { delete static_cast<Sent *>(self); }

	Gateway &gateway;
	std::atomic<int> &streams;
	std::string target;
	ServedContent::Stream stream;
};

struct SentWindow {
	ServedContent::Window window;
	static void end(void *self) { delete static_cast<SentWindow *>(self); }
};

std::string_view field_of(MHD_Connection *connection, const char *name)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
	return value ? value : "";
}

} // namespace

void *HttpServer::Daemon::note_target(void *, const char *target, MHD_Connection *)
{
	try {
		return new Exchange{target};
	} catch (const std::bad_alloc &) {
		return nullptr;
	}
}

// Each thread of libmicrohttpd counts for itself, and this is the count of all.
MHD_Result HttpServer::Daemon::may_connect(void *self, const sockaddr *, socklen_t)
{
	Daemon &daemon = *static_cast<Daemon *>(self);
	std::lock_guard guard(daemon.mutex);
	return daemon.connections.size() < daemon.limits.connections ? MHD_YES : MHD_NO;
}

void HttpServer::Daemon::note_connection(void *self, MHD_Connection *connection, void **context,
	MHD_ConnectionNotificationCode what)
{
	Daemon &daemon = *static_cast<Daemon *>(self);
	std::lock_guard guard(daemon.mutex);
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		// Before its descriptor is closed.
		if (const auto *record = static_cast<Connection *>(*context))
			daemon.connections.erase(record->place);
		*context = nullptr;
		return;
	}
	const MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	try {
		Connection &record = daemon.connections.emplace_front();
		record.fd = info ? info->connect_fd : -1;
		record.deadline_s = seconds_now() + daemon.limits.timeout_s;
		record.place = daemon.connections.begin();
		*context = &record;
	} catch (const std::bad_alloc &) {
		*context = nullptr;
	}
}

void HttpServer::Daemon::set_deadline(MHD_Connection *connection, std::uint64_t size)
{
	const MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (info && info->socket_context)
		static_cast<Connection *>(info->socket_context)->deadline_s =
			seconds_now() + limits.timeout_s + static_cast<std::int64_t>(size / least_rate);
}

void HttpServer::Daemon::note_end(void *self, MHD_Connection *connection, void **exchange, MHD_RequestTerminationCode)
{
	static_cast<Daemon *>(self)->set_deadline(connection, 0);
	delete static_cast<Exchange *>(*exchange);
	*exchange = nullptr;
}

void HttpServer::Daemon::note_message(void *self, const char *format, va_list arguments)
{
	Daemon &daemon = *static_cast<Daemon *>(self);
	std::lock_guard guard(daemon.mutex);
	// Later ones are about clients.
	if (daemon.has_started || !daemon.message.empty())
		return;
	char text[300];
	std::vsnprintf(text, sizeof text, format, arguments);
	daemon.message = text;
	while (daemon.message.ends_with('\n'))
		daemon.message.pop_back();
}

// --- answers --------------------------------------------------------------------------------

static ssize_t read_nothing(void *, std::uint64_t, char *, std::size_t) { return MHD_CONTENT_READER_END_WITH_ERROR; }

static MHD_Response *small_response(ServedContent &content, const HttpAnswer &answer)
{
	const std::size_t size = answer.extent.size;
	std::unique_ptr<void, decltype(&std::free)> bytes(std::malloc(std::max<std::size_t>(size, 1)), std::free);
	if (!bytes)
		throw std::bad_alloc();
	content.read(*answer.entry, answer.extent, {static_cast<std::uint8_t *>(bytes.get()), size});
	MHD_Response *response = MHD_create_response_from_buffer(size, bytes.get(), MHD_RESPMEM_MUST_FREE);
	if (response)
		static_cast<void>(bytes.release());
	return response;
}

static MHD_Response *window_response(ServedContent::Window window)
{
	std::vector<MHD_IoVec> parts;
	for (const Bytes part : window.parts)
		parts.push_back({part.data(), part.size()});
	auto sent = std::make_unique<SentWindow>(std::move(window));
	MHD_Response *response = MHD_create_response_from_iovec(parts.data(), static_cast<unsigned>(parts.size()),
		SentWindow::end, sent.get());
	if (response)
		static_cast<void>(sent.release());
	return response;
}

MHD_Response *HttpServer::Daemon::response_of(HttpAnswer &answer, const std::string &target, bool is_head)
{
	if (!answer.entry)
		return MHD_create_response_from_buffer(answer.text.size(), answer.text.data(), MHD_RESPMEM_MUST_COPY);
	// Without a body, these tell of the size that there would be.
	if (is_head || answer.status == http_status::not_modified)
		return MHD_create_response_from_callback(answer.extent.size, 1, read_nothing, nullptr, nullptr);
	if (answer.extent.size <= small_answer)
		return small_response(content, answer);
	if (answer.extent.size <= window_answer)
		if (std::optional<ServedContent::Window> window = content.find_window(*answer.entry, answer.extent))
			return window_response(std::move(*window));
	auto sent = std::make_unique<Sent>(gateway, streams, target,
		ServedContent::Stream(content, *answer.entry, answer.extent));
	sent->stream.prepare();
	MHD_Response *response = MHD_create_response_from_callback(answer.extent.size,
		streams < most_large_pieces ? large_piece : small_piece, Sent::read, sent.get(), Sent::end);
	if (response)
		static_cast<void>(sent.release());
	return response;
}

MHD_Result HttpServer::Daemon::send(MHD_Connection *connection, const std::string &target, const char *method)
{
	HttpRequest request;
	request.method = method;
	request.target = target;
	request.accept = field_of(connection, "Accept");
	if (const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"))
		request.host = host;
	request.conditions = {field_of(connection, "If-Match"), field_of(connection, "If-None-Match"),
		field_of(connection, "If-Modified-Since"), field_of(connection, "If-Unmodified-Since"),
		field_of(connection, "If-Range"), field_of(connection, "Range")};
	HttpAnswer answer = gateway.answer(request);
	MHD_Response *response;
	try {
		response = response_of(answer, target, request.method == "HEAD");
	} catch (const std::exception &error) {
		answer = gateway.failure(request, error);
		response = response_of(answer, target, false);
	}
	if (!response)
		return MHD_NO;
	for (const auto &[name, value] : answer.fields)
		MHD_add_response_header(response, name, value.c_str());
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	// What is stored may be a page of anybody, and must not act as one of this server.
	MHD_add_response_header(response, "Content-Security-Policy",
		"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	set_deadline(connection, answer.size());
	const MHD_Result result = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
	MHD_destroy_response(response);
	return result;
}

MHD_Result HttpServer::Daemon::answer(void *self, MHD_Connection *connection, const char *, const char *method,
	const char *, const char *, std::size_t *upload_size, void **context)
{
	auto *exchange = static_cast<Exchange *>(*context);
	if (!exchange)
		return MHD_NO;
	// First without a body, then with each piece of it, then with nothing.
	if (!exchange->has_begun) {
		exchange->has_begun = true;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		exchange->discarded += *upload_size;
		*upload_size = 0;
		return exchange->discarded > most_discarded ? MHD_NO : MHD_YES;
	}
	try {
		return static_cast<Daemon *>(self)->send(connection, exchange->target, method);
	} catch (const std::exception &) {
		return MHD_NO;
	}
}

// --- the server -----------------------------------------------------------------------------

HttpServer::HttpServer(Gateway &gateway, ServedContent &content, const ListenAddress &address,
	const ServerLimits &limits)
	: daemon_(std::make_unique<Daemon>(gateway, content, limits))
{
	const Addresses found = addresses_of(address);
	Daemon &daemon = *daemon_;
	const auto start = [&] {
		unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
		if (found->ai_family == AF_INET6)
			flags |= MHD_USE_IPv6;
		daemon.daemon = MHD_start_daemon(flags, address.port, Daemon::may_connect, &daemon, Daemon::answer, &daemon,
			MHD_OPTION_EXTERNAL_LOGGER, Daemon::note_message, &daemon,
			MHD_OPTION_SOCK_ADDR, found->ai_addr,
			MHD_OPTION_THREAD_POOL_SIZE, static_cast<unsigned>(limits.threads),
			MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(limits.connections * limits.threads),
			MHD_OPTION_CONNECTION_TIMEOUT, limits.timeout_s,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory,
			MHD_OPTION_URI_LOG_CALLBACK, Daemon::note_target, &daemon,
			MHD_OPTION_NOTIFY_CONNECTION, Daemon::note_connection, &daemon,
			MHD_OPTION_NOTIFY_COMPLETED, Daemon::note_end, &daemon,
#if MHD_VERSION >= 0x00097701
			MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#else
			MHD_OPTION_STRICT_FOR_CLIENT, 1,
#endif
			MHD_OPTION_END);
	};
	// Its threads have the mask of the one that starts them.
	if (std::optional<std::thread> starter = start_thread(start))
		starter->join();
	else
		start();
	{
		std::lock_guard guard(daemon.mutex);
		daemon.has_started = true;
	}
	if (!daemon.daemon)
		throw Error("cannot listen on " + quote(address.host + ":" + std::to_string(address.port)) +
			(daemon.message.empty() ? "" : ": " + daemon.message));
	const MHD_DaemonInfo *info = MHD_get_daemon_info(daemon.daemon, MHD_DAEMON_INFO_BIND_PORT);
	const std::string host = address.host.empty() ? "0.0.0.0" : address.host;
	url_ = "http://" + (host.find(':') == host.npos ? host : "[" + host + "]") + ":" +
		std::to_string(info ? info->port : address.port) + "/";
}

HttpServer::~HttpServer() { MHD_stop_daemon(daemon_->daemon); }

void HttpServer::cut_slow()
{
	const std::int64_t now = seconds_now();
	std::lock_guard guard(daemon_->mutex);
	for (const Connection &connection : daemon_->connections)
		if (connection.deadline_s < now && connection.fd >= 0)
			cut_connection(connection.fd);
}

} // namespace dig
