#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-diff-work [-qz] [PATH...]";

static int diff_work(Options &options)
{
	bool nul = false, quiet = false;
	std::vector<std::string> typed;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("quiet", 'q', quiet, "print nothing; the exit status is the answer")
		.positional(typed)
		.parse();
	Store store(get_store());
	raise_file_limit();
	Output &out = standard_output();
	out.set_end(record_end(nul));
	int status = exit_status::done;
	const Index index = current_index(store);
	const auto show = [&](Difference difference, const std::string &path) {
		if (difference == Difference::no_file || difference == Difference::skipped)
			return;
		status = exit_status::no;
		if (quiet)
			return;
		out.write(std::string(1, static_cast<char>(difference)) + '\t');
		out.record_path(path);
	};
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(stored_path(store.paths(), path));
	check_paths_exist(store, index, paths, typed);
	dig::diff_work(store, index, paths, show);
	return status;
}

int dig_diff_work_main(int argc, char **argv) { return run(argc, argv, usage, diff_work); }
