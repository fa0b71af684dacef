// dig push is dig-send-states.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-push [-q] [--single-writer] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"         [REMOTE|URL]";

static int push(Options &options)
{
	std::vector<std::string> names;
	Report report;
	bool is_single = false;
	report.add_to(options)
		.flag("single-writer", 0, is_single, "do not test that the place lets only one of two writers win")
		.positional(names, 0, 1)
		.parse();
	Command command = tool_command("send-states");
	if (is_single)
		command.push_back("--single-writer");
	report.pass_on(command);
	command.push_back("--");
	command.insert(command.end(), names.begin(), names.end());
	replace_process(command);
}

int dig_push_main(int argc, char **argv) { return run(argc, argv, usage, push); }
