#include "libdig/command.h"
#include "libdig/path.h"
#include "libdig/store.h"
#include "libdig/worktree.h"

using namespace dig;

static constexpr char usage[] = "dig-ls-work [-f] [PATH...]";

static int ls_work(Options &options)
{
	WalkOptions walk;
	std::vector<std::string> typed;
	options.flag("force", 'f', walk.takes_ignored, "list ignored paths, too").positional(typed).parse();
	const StorePaths paths = get_store();
	std::vector<std::string> normalised;
	for (const std::string &path : typed) {
		normalised.push_back(normalised_path(path, paths.prefix, paths.work_tree));
		if (const std::string_view problem = path_problem(normalised.back());
			!problem.empty() && !normalised.back().empty())
			throw Error(quote(path) + " cannot be stored: " + std::string(problem));
	}
	if (typed.empty())
		normalised.emplace_back();
	const File root = File::open_with(paths.work_tree, O_RDONLY | O_DIRECTORY);
	raise_file_limit();
	Output &out = standard_output();
	out.set_end(RecordEnd::nul);
	std::vector<std::string> ignored;
	walk_work_tree(root, normalised, walk, [&](const WorkRecord &record) { out.record(to_text(record)); },
		ignored);
	for (const std::string &path : ignored)
		tell(quote(path) + " is ignored; 'dig-check-ignore -v' names the rule, -f takes it all the same");
	return ignored.empty() ? exit_status::done : exit_status::no;
}

int main(int argc, char **argv) { return run(argc, argv, usage, ls_work); }
