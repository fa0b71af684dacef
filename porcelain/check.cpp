// dig check is dig-verify-store.
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-check [-q] [--json] [--quick] [--block-trees] [--budget=TIME] [--repair]\n"
	"          [--heal-from=SOURCE...] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"          [LAYER]";

static int check(Options &options)
{
	bool quick = false, block_trees = false, repair = false, json = false;
	std::string budget;
	std::vector<std::string> layers, sources;
	Report report;
	report.add_to(options)
		.flag("quick", 0, quick, "check the structure only, not the content")
		.flag("block-trees", 0, block_trees, "also compare block trees with the content")
		.value("budget", 0, budget, "TIME",
			"look at what was not verified for the longest time, and end after this time")
		.flag("json", 0, json, "what is found, as JSON on standard output")
		.flag("repair", 0, repair, "first make anew what follows from the layers")
		.list("heal-from", 0, sources, "SOURCE", "first look for what is lost in a directory, store or layer")
		.positional(layers, 0, 1)
		.parse();
	if (!layers.empty())
		require_layer(layers[0]);
	Command verify = tool_command("verify-store");
	if (quick)
		verify.push_back("--quick");
	if (block_trees)
		verify.push_back("--block-trees");
	if (!budget.empty())
		verify.push_back("--budget=" + budget);
	if (json)
		verify.push_back("--json");
	if (repair)
		verify.push_back("--repair");
	for (const std::string &source : sources)
		verify.push_back("--heal-from=" + source);
	report.pass_on(verify);
	verify.push_back("--");
	verify.insert(verify.end(), layers.begin(), layers.end());
	replace_process(verify);
}

int dig_check_main(int argc, char **argv) { return run(argc, argv, usage, check); }
