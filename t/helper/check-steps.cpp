// check-steps: checks the store with a budget that is always over, until all of it is verified.
//
// Each check must do one step at least.  Prints "STEPS RUNS", where RUNS has the percentage after each run.
#include <cstdio>

#include "libdig/tool/command.h"
#include "libdig/verbs/verify.h"

using namespace dig;

int main()
{
	const StorePaths paths = get_store();
	std::string percentages;
	int steps = 0;
	for (bool is_complete = false; !is_complete;) {
		VerifyOptions options;
		options.deadline_ns = 1;
		options.problem = [](const std::string &problem) { std::fprintf(stderr, "%s\n", problem.c_str()); };
		options.damaged = [](const VerifyOptions::DamagedBlock &damaged) {
			std::fprintf(stderr, "%s\n", damaged.why.c_str());
		};
		const VerifyResult result = verify_store(paths, options);
		if (result.problems > 0 || ++steps > 1000)
			return 1;
		percentages += ' ' + std::to_string(result.evidence->recent_percent);
		is_complete = result.evidence->oldest_s.has_value();
	}
	std::printf("%d%s\n", steps, percentages.c_str());
	return 0;
}
