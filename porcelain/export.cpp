// dig export is dig-export-states.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-export [-q] [--since=ROOT | --full] [--at=ROOT] [--progress[=WHEN]]\n"
	"           [--metrics[=FILE]] FILE|-";

static int export_command(Options &options)
{
	bool is_full = false;
	std::string since, at;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.value("since", 0, since, "ROOT", "only the states after this one")
		.flag("full", 0, is_full, "one state, laid out for readers of parts")
		.value("at", 0, at, "ROOT", "only the states up to this one")
		.positional(names, 1, 1)
		.parse();
	Command command = tool_command("export-states");
	if (!since.empty())
		command.push_back("--since=" + since);
	if (is_full)
		command.push_back("--full");
	if (!at.empty())
		command.push_back("--at=" + at);
	report.pass_on(command);
	command.insert(command.end(), {"--", names[0]});
	replace_process(command);
}

int dig_export_main(int argc, char **argv) { return run(argc, argv, usage, export_command); }
