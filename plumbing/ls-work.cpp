#include "libdig/base/path.h"
#include "libdig/staging/index.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/worktree/worktree.h"

using namespace dig;

static constexpr char usage[] = "dig-ls-work [-f] [PATH...]";

// The paths as they are stored.  The store itself is passed over, as everywhere else: "dig add .*"
// names it.
static std::vector<std::string> normalised_paths(const std::vector<std::string> &typed, const StorePaths &paths)
{
	std::vector<std::string> normalised;
	std::string skipped;
	for (const std::string &path : typed) {
		normalised.push_back(stored_path(paths, path));
		const std::string_view problem = path_problem(normalised.back());
		if (problem.empty() || normalised.back().empty())
			continue;
		if (!is_within(normalised.back(), ".dig"))
			throw Error(quote(path) + " cannot be stored: " + std::string(problem));
		normalised.pop_back();
		skipped = path;
		if (typed.size() > 1)
			warn(quote(path) + " is skipped: it belongs to the store");
	}
	if (typed.empty())
		normalised.emplace_back();
	if (normalised.empty())
		throw Error(quote(skipped) + " cannot be added: it belongs to the store");
	return normalised;
}

static int ls_work(Options &options)
{
	WalkOptions walk;
	std::vector<std::string> typed;
	options.flag("force", 'f', walk.takes_ignored, "also list ignored paths").positional(typed).parse();
	const StorePaths paths = get_store();
	Output &out = standard_output();
	out.set_end(RecordEnd::nul);
	WorkRecord aborted;
	aborted.type = WorkRecord::Type::aborted;
	end_failed_output_with(to_text(aborted));
	const std::vector<std::string> wanted = normalised_paths(typed, paths);
	const File root = File::open_with(paths.get_work_tree(), O_RDONLY | O_DIRECTORY);
	raise_file_limit();
	std::vector<std::string> ignored;
	std::string text;
	walk_work_tree(root, wanted, walk,
		[&](const WorkRecord &record) {
			text.clear();
			append_text(text, record);
			out.record(text);
		},
		ignored);
	int status = exit_status::done;
	for (const std::string &path : ignored) {
		// What is tracked is taken, ignored or not.
		if (Index::open(paths.staging()).find(path))
			continue;
		tell(quote(relative_path(path, paths.prefix)) +
			" is ignored; 'dig check-ignore -v' names the rule, -f adds it anyway");
		status = exit_status::no;
	}
	return status;
}

int dig_ls_work_main(int argc, char **argv) { return run(argc, argv, usage, ls_work); }
