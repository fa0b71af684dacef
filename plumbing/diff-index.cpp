#include "libdig/tool/command.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-diff-index [-qz]";

static int diff_index(Options &options)
{
	bool nul = false, quiet = false;
	std::vector<std::string> typed;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("quiet", 'q', quiet, "print nothing; the exit status is the answer")
		.positional(typed, 0, 0)
		.parse();
	Store store(get_store());
	raise_file_limit();
	Output &out = standard_output();
	out.set_end(record_end(nul));
	int status = exit_status::done;
	const Index index = current_index(store);
	const auto show = [&](Difference difference, const std::string &path) {
		status = exit_status::no;
		if (quiet)
			return;
		out.write(std::string(1, static_cast<char>(difference)) + '\t');
		out.record_path(path);
	};
	dig::diff_index(store, index, show);
	return status;
}

int dig_diff_index_main(int argc, char **argv) { return run(argc, argv, usage, diff_index); }
