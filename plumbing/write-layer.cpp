#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/commit.h"

using namespace dig;

static constexpr char usage[] =
	"dig-write-layer [--full] [--allow-empty] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"                -m MESSAGE";

static int write_layer_command(Options &options)
{
	CommitOptions commit;
	std::optional<std::string> message;
	std::vector<std::string> none;
	Report report;
	report.add_to(options)
		.flag("full", 0, commit.is_full, "write a layer that needs no other")
		.flag("allow-empty", 0, commit.allows_empty, "even if nothing is staged")
		.value("message", 'm', message, "MESSAGE", "the message of the commit")
		.positional(none, 0, 0)
		.parse();
	if (!message)
		throw UsageError("-m MESSAGE is needed");
	commit.message = *message;
	const StorePaths paths = get_store();
	const Lock lock = Lock::acquire(paths.lock());
	Store store(paths);
	raise_file_limit();
	commit.work = &report.begin({{"references", 80}, {"manifest", 5, false},
		{"copy", commit.is_full ? 80.0 : 0.0}, {"publish", 5, false}});
	const Digest layer = write_layer(store, commit);
	report.finish();
	standard_output().record(to_hex(layer));
	return exit_status::done;
}

int dig_write_layer_main(int argc, char **argv) { return run(argc, argv, usage, write_layer_command); }
