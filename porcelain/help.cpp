#include <cstdlib>

#include "libdig/command.h"

using namespace dig;

static constexpr char usage[] = "dig-help [COMMAND]";

static int help(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 0, 1).parse();
	const std::string path = own_directory();
	if (names.empty())
		replace_process({find_stat(path + "/dig") ? path + "/dig" : "dig"});
	const std::string page = names[0] == "dig" || names[0].starts_with("dig-") ? names[0] : "dig-" + names[0];
	// From the checkout the page is a file, installed it is found by its name.
	for (const char *section : {"1", "5", "7"}) {
		const std::string file = path + "/../Documentation/" + page + "." + section;
		if (find_stat(file))
			replace_process({"man", "-l", file});
	}
	replace_process({"man", page});
}

int main(int argc, char **argv) { return run(argc, argv, usage, help); }
