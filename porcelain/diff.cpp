// dig diff is dig-diff-roots; a person need not name both states.
#include "libdig/store/store.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-diff [-qz] [ROOT [ROOT [PATH...]]]\n"
				"dig-diff [-qz] --ranges ROOT ROOT PATH";

static int diff(Options &options)
{
	bool nul = false, quiet = false, ranges = false;
	std::vector<std::string> names;
	options.flag("ranges", 0, ranges, "which bytes of one file differ")
		.flag("quiet", 'q', quiet, "print nothing; the exit status is the answer")
		.flag("", 'z', nul, "end records with NUL")
		.positional(names)
		.parse();
	if (ranges && names.size() != 3)
		throw UsageError("--ranges takes two states and one path");
	// What a person asks for without a word more: what the last commit changed.
	if (names.empty())
		names = {Store(get_store()).roots().size() == 1 ? "@0" : "HEAD~1"};
	if (names.size() == 1)
		names.push_back("HEAD");
	Command compare = tool_command("diff-roots");
	for (const auto &[option, is_given] :
		{std::pair("--quiet", quiet), std::pair("-z", nul), std::pair("--ranges", ranges)})
		if (is_given)
			compare.push_back(option);
	if (!nul && !ranges)
		compare.push_back("--apart");
	compare.push_back("--");
	compare.insert(compare.end(), names.begin(), names.end());
	const int status = Child(compare).wait_for_part();
	// "It differs" is an answer and no failure; only -q asks for it as a status.
	return status == exit_status::no && !quiet ? exit_status::done : status;
}

int dig_diff_main(int argc, char **argv) { return run(argc, argv, usage, diff); }
