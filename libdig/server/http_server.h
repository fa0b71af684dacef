// A server of HTTP in front of a gateway: connections, their limits, and content on its way.
//
// libmicrohttpd has the connections: some threads wait with epoll, and each answers what comes on its
// connections.  Number, memory and time of connections are bounded.
#ifndef DIG_HTTP_SERVER_H
#define DIG_HTTP_SERVER_H

#include <functional>
#include <memory>

#include "libdig/gateway/gateway.h"
#include "libdig/gateway/served_content.h"

namespace dig {

// Where to listen: "127.0.0.1:8080", "[::1]:8080", "localhost:0", ":80" for all addresses.
struct ListenAddress {
	std::string host; // without brackets; empty for all addresses
	std::uint16_t port = 0;
};
// UsageError for any other text.
ListenAddress parse_listen_address(const std::string &text);

struct ServerLimits {
	std::size_t connections = 256;
	// A request has to be there within this time, and so has what a client takes without a pause.
	unsigned timeout_s = 30;
	std::size_t threads = 1;
};

class HttpServer {
public:
	// Listens when it returns.  Both must outlive the server.
	HttpServer(Gateway &gateway, ServedContent &content, const ListenAddress &address, const ServerLimits &limits);
	~HttpServer();
	HttpServer(const HttpServer &) = delete;

	// "http://127.0.0.1:8080/"
	const std::string &url() const { return url_; }
	// Cuts connections that are too slow.  To be called about once a second.
	void cut_slow();

private:
	struct Daemon;
	std::unique_ptr<Daemon> daemon_;
	std::string url_;
};

// Whether only this machine can reach the address.
bool is_loopback(const ListenAddress &address);

} // namespace dig

#endif
