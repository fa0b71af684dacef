#include "libdig/command.h"
#include "libdig/path.h"
#include "libdig/stage.h"
#include "libdig/staging_clear.h"

using namespace dig;

static constexpr char usage[] = "dig-reset [-q] [PATH...]";

static int reset(Options &options)
{
	bool quiet = false;
	std::vector<std::string> typed;
	options.flag("quiet", 'q', quiet, "do not say how much").positional(typed).parse();
	Store store(get_store());
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(normalised_path(path, store.paths().prefix, store.paths().work_tree));
	std::uint64_t count = 0;
	try {
		count = unstage(store, paths);
	} catch (const CorruptError &error) {
		if (!typed.empty())
			throw;
		warn(std::string(error.what()) + "; what was staged is given up");
		discard_staging(store);
		StagingWriter writer(store);
		reconcile_index(store, writer);
	}
	if (!quiet)
		tell(std::to_string(count) + (count == 1 ? " path is" : " paths are") + " not staged any more");
	return exit_status::done;
}

int main(int argc, char **argv) { return run(argc, argv, usage, reset); }
