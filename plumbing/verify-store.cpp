#include "libdig/command.h"
#include "libdig/verify.h"

using namespace dig;

static constexpr char usage[] = "dig-verify-store [-q] [--quick]";

static int verify_store_command(Options &options)
{
	VerifyOptions verify;
	bool quiet = false;
	std::vector<std::string> none;
	options.flag("quick", 0, verify.is_quick, "structure only, no content")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(none, 0, 0)
		.parse();
	const StorePaths paths = get_store();
	verify.problem = [](const std::string &problem) { tell(problem); };
	verify.notice = [](const std::string &notice) { warn(notice); };
	std::uint64_t bytes = 0;
	verify.progress = [&](std::uint64_t read) { bytes = read; };
	const std::uint64_t problems = verify_store(paths, verify);
	if (problems > 0) {
		tell(std::to_string(problems) + (problems == 1 ? " problem" : " problems") + " in " + quoted(paths.store));
		return exit_status::corrupt;
	}
	if (!quiet)
		standard_output().record("ok: " + std::to_string(bytes) + " bytes of blocks read, nothing damaged");
	return exit_status::done;
}

int main(int argc, char **argv) { return run(argc, argv, usage, verify_store_command); }
