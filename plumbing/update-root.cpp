#include "libdig/tool/command.h"
#include "libdig/verbs/commit.h"

using namespace dig;

static constexpr char usage[] = "dig-update-root LAYER-ID [OLD-ROOT]";

static int update_root_command(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 1, 2).parse();
	const std::optional<Digest> layer = parse_digest(names[0]);
	if (!layer)
		throw UsageError("LAYER-ID has 64 hexadecimal digits");
	std::optional<Digest> old_root;
	if (names.size() > 1 && !(old_root = parse_digest(names[1])))
		throw UsageError("OLD-ROOT has 64 hexadecimal digits; for the first state, these are zeros");
	const StorePaths paths = get_store();
	const Lock lock = Lock::acquire(paths.lock());
	Store store(paths);
	const std::string root = to_hex(update_root(store, *layer, old_root));
	accomplished("the state " + root + " is recorded");
	standard_output().record(root);
	return exit_status::done;
}

int dig_update_root_main(int argc, char **argv) { return run(argc, argv, usage, update_root_command); }
