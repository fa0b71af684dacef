// dig push is dig-send-states.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] = "dig-push [-q] [--progress[=WHEN]] [--metrics[=FILE]] [REMOTE|URL]";

static int push(Options &options)
{
	std::vector<std::string> names;
	Report report;
	report.add_to(options).positional(names, 0, 1).parse();
	Command command = tool_command("send-states");
	report.pass_on(command);
	command.push_back("--");
	command.insert(command.end(), names.begin(), names.end());
	replace_process(command);
}

int dig_push_main(int argc, char **argv) { return run(argc, argv, usage, push); }
