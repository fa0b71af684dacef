// dig import is dig-index-layer.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] = "dig-import [-q] [--progress[=WHEN]] [--metrics[=FILE]] FILE|-";

static int import_command(Options &options)
{
	std::vector<std::string> names;
	Report report;
	report.add_to(options).positional(names, 1, 1).parse();
	Command command = tool_command("index-layer");
	report.pass_on(command);
	command.insert(command.end(), {"--", names[0]});
	replace_process(command);
}

int dig_import_main(int argc, char **argv) { return run(argc, argv, usage, import_command); }
