// The objects are files on another machine: ssh runs dig-remote-file there.
#include <cstdlib>

#include "libdig/os/process.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-remote-ssh ssh://[USER@]HOST[:PORT]/DIRECTORY";

struct Place {
	std::string user_and_host, port, directory;
};

static bool is_plain(std::string_view text)
{
	return !text.empty() && text[0] != '-' &&
		text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == text.npos;
}

static Place place_of(const std::string &url)
{
	const auto fail = [&] { return UsageError(quote(url) + " is no URL for ssh, as ssh://user@host/directory"); };
	constexpr std::string_view scheme = "ssh://";
	const std::size_t slash = url.find('/', scheme.size());
	if (!url.starts_with(scheme) || slash == url.npos || slash + 1 == url.size())
		throw fail();
	Place place;
	place.directory = url.substr(slash);
	std::string host = url.substr(scheme.size(), slash - scheme.size());
	std::string user;
	if (const std::size_t at = host.find('@'); at != host.npos) {
		user = host.substr(0, at);
		host.erase(0, at + 1);
		if (!is_plain(user))
			throw fail();
		user += '@';
	}
	const std::size_t bracket = host.find(']');
	const std::size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
	if (colon != host.npos) {
		place.port = host.substr(colon + 1);
		host.erase(colon);
		if (place.port.empty() || place.port.size() > 5 ||
			place.port.find_first_not_of("0123456789") != place.port.npos)
			throw fail();
	}
	if (host.starts_with('[') && host.ends_with(']')) {
		host = host.substr(1, host.size() - 2);
		if (host.empty() || host.find_first_not_of("0123456789abcdefABCDEF:.") != host.npos)
			throw fail();
	} else if (!is_plain(host)) {
		throw fail();
	}
	place.user_and_host = user + host;
	return place;
}

// For the shell of the other machine.
static std::string quoted_for_shell(const std::string &text)
{
	std::string quoted = "'";
	for (const char c : text)
		quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
	return quoted + "'";
}

static int remote_ssh(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 1, 1).parse();
	const Place place = place_of(names[0]);
	// "/~/x" is x below the home directory.
	const std::string directory = place.directory.starts_with("/~/") ? place.directory.substr(3) : place.directory;
	const char *const program = std::getenv("DIG_SSH");
	Command command{program && *program ? program : "ssh", "-T"};
	if (!place.port.empty())
		command.insert(command.end(), {"-p", place.port});
	command.insert(command.end(),
		{"--", place.user_and_host, "dig remote-file -- " + quoted_for_shell(directory)});
	replace_process(command);
}

int dig_remote_ssh_main(int argc, char **argv) { return run(argc, argv, usage, remote_ssh); }
