#include "libdig/network/http_objects.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-remote-http http[s]://HOST[:PORT][/PATH]";

static int remote_http(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 1, 1).parse();
	HttpObjects objects(names[0], load_settings({}).fetch);
	serve_objects(objects, File::standard_input(), File::duplicate_of(1, "standard output"));
	return exit_status::done;
}

int dig_remote_http_main(int argc, char **argv) { return run(argc, argv, usage, remote_http); }
