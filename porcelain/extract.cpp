// dig extract is dig-checkout-root, of the newest state where no other is named.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-extract [-f] [--in-place] [--replace-special] [--at=ROOT] [--sync]\n"
	"            [--restore-setuid] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"            DEST [PATH...]";

static int extract(Options &options)
{
	std::string root = "HEAD";
	bool force = false, in_place = false, replace_special = false, sync = false, restore_setuid = false;
	std::vector<std::string> words;
	Report report;
	report.add_to(options)
		.value("at", 0, root, "ROOT", "the state to take")
		.flag("force", 'f', force, "replace existing files")
		.flag("in-place", 0, in_place, "overwrite existing files where they differ")
		.flag("replace-special", 0, replace_special, "with -f: also devices, FIFOs and sockets")
		.flag("sync", 0, sync, "return when everything is on storage")
		.flag("restore-setuid", 0, restore_setuid, "also restore setuid, setgid and sticky bits")
		.positional(words)
		.parse();
	if (words.empty())
		throw UsageError("no destination given");
	Command checkout = tool_command("checkout-root");
	for (const auto &[option, is_given] : {std::pair("--force", force),
		std::pair("--in-place", in_place), std::pair("--replace-special", replace_special),
		std::pair("--sync", sync), std::pair("--restore-setuid", restore_setuid)})
		if (is_given)
			checkout.push_back(option);
	report.pass_on(checkout);
	if (!options.is_quiet())
		checkout.push_back("--summary");
	checkout.push_back("--");
	checkout.push_back(root);
	checkout.insert(checkout.end(), words.begin(), words.end());
	replace_process(checkout);
}

int dig_extract_main(int argc, char **argv) { return run(argc, argv, usage, extract); }
