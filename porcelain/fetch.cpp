// dig fetch is dig-fetch-states, with a sentence on the work tree.
#include "libdig/store/store_paths.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] = "dig-fetch [-q] [--plan] [--progress[=WHEN]] [--metrics[=FILE]] [REMOTE|URL]";

static int fetch(Options &options)
{
	bool is_plan = false;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("plan", 0, is_plan, "only say what would come")
		.positional(names, 0, 1)
		.parse();
	Command command = tool_command("fetch-states");
	if (is_plan)
		command.push_back("--plan");
	report.pass_on(command);
	command.push_back("--");
	command.insert(command.end(), names.begin(), names.end());
	int status;
	const std::string said = output_of(command, status);
	if (!said.empty())
		standard_output().record(said);
	if (status == exit_status::done && said.starts_with('@') && !get_store().work_tree.empty())
		tell("the work tree is as it was; 'dig extract -f .' writes the files of the newest state");
	return status;
}

int dig_fetch_main(int argc, char **argv) { return run(argc, argv, usage, fetch); }
