// dig serve: a store, to be read by HTTP.
#include <algorithm>

#include "libdig/server/http_server.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-serve [-q] [--listen=HOST:PORT] [--host=NAME...] [--connections=N]\n"
	"          [--timeout=SECONDS]";

constexpr ServedContent::Limits content_limits{.blocks = 12_MiB, .block_file = 1_GiB, .windows = 24_MiB};
constexpr std::size_t node_memory = 10_MiB, most_threads = 8;
constexpr std::int64_t pause_ns = 500'000'000;
constexpr std::uint64_t most_connections = 100000, longest_timeout = 3600;

// On an address that only this machine reaches, a page from elsewhere must not reach the store by a name
// of its own that it lets lead here.
static std::vector<std::string> allowed_hosts(const ListenAddress &address, std::vector<std::string> names)
{
	if (!is_loopback(address))
		return {};
	for (const char *name : {"localhost", "127.0.0.1", "[::1]"})
		names.emplace_back(name);
	names.push_back(address.host.find(':') == address.host.npos ? address.host : '[' + address.host + ']');
	return names;
}

static int serve(Options &options)
{
	std::string listen = "127.0.0.1:8080";
	std::vector<std::string> hosts, none;
	ServerLimits limits;
	std::uint64_t connections = limits.connections, timeout = limits.timeout_s;
	options.value("listen", 0, listen, "HOST:PORT", "where to listen; port 0 takes a free one")
		.list("host", 0, hosts, "NAME", "answer requests for this host, too")
		.value("connections", 0, connections, "N", "at most so many at once")
		.value("timeout", 0, timeout, "SECONDS", "cut a connection on which nothing comes or goes")
		.positional(none, 0, 0)
		.parse();
	if (connections == 0 || connections > most_connections)
		throw UsageError("--connections takes a number from 1 to " + std::to_string(most_connections));
	if (timeout == 0 || timeout > longest_timeout)
		throw UsageError("--timeout takes a number from 1 to " + std::to_string(longest_timeout));
	limits.connections = connections;
	limits.timeout_s = static_cast<unsigned>(timeout);
	const ListenAddress address = parse_listen_address(listen);
	raise_file_limit();
	Store store(get_store());
	// Each may need memory for a block at the same time.
	limits.threads = std::min(worker_threads(store.settings()), most_threads);
	KeptNodes nodes(store, node_memory);
	ServedContent content(store, nodes, content_limits);
	Gateway gateway(store, nodes);
	gateway.allow_hosts(allowed_hosts(address, hosts));
	gateway.on_change([&content] { content.forget_places(); });
	gateway.on_damage([](const std::string &what) { tell_error(what); });
	HttpServer server(gateway, content, address, limits);
	standard_output().record(server.url());
	standard_output().flush();
	if (!options.is_quiet())
		tell("serving " + quote(store.paths().store) + "; Ctrl-C ends it");
	for (;;) {
		pause_for(pause_ns);
		server.cut_slow();
	}
}

int dig_serve_main(int argc, char **argv) { return run(argc, argv, usage, serve); }
