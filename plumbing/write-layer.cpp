#include "libdig/command.h"
#include "libdig/commit.h"

using namespace dig;

static constexpr char usage[] = "dig-write-layer [--full] [--allow-empty] -m MESSAGE";

static int write_layer_command(Options &options)
{
	CommitOptions commit;
	std::optional<std::string> message;
	std::vector<std::string> none;
	options.flag("full", 0, commit.is_full, "all of the state, so that the layer stands alone")
		.flag("allow-empty", 0, commit.allows_empty, "also when nothing is staged")
		.value("message", 'm', message, "MESSAGE", "what the commit says")
		.positional(none, 0, 0)
		.parse();
	if (!message)
		throw UsageError("-m MESSAGE is needed");
	commit.message = *message;
	const StorePaths paths = get_store();
	const Lock lock = Lock::acquire(paths.lock());
	Store store(paths);
	raise_file_limit();
	standard_output().record(to_hex(write_layer(store, commit)));
	return exit_status::done;
}

int main(int argc, char **argv) { return run(argc, argv, usage, write_layer_command); }
