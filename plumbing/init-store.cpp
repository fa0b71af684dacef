#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/hash_sources.h"

using namespace dig;

static constexpr char usage[] = "dig-init-store [--store=DIR] [--store-id=HEX] [DIRECTORY]\n"
				"dig-init-store --attach=STORE [DIRECTORY]";

static int init_store(Options &options)
{
	NewStore parameters;
	std::optional<std::string> id, attached;
	std::vector<std::string> directories;
	options.value("store", 0, parameters.store, "DIR", "create the store there; .dig names it")
		.value("store-id", 0, id, "HEX", "the id, 64 digits, instead of a random one")
		.value("attach", 0, attached, "STORE", "use this existing store")
		.positional(directories, 0, 1)
		.parse();
	if (attached && (id || parameters.store))
		throw UsageError("--attach makes no store, so --store and --store-id do not go with it");
	if (id && !(parameters.store_id = parse_digest(*id)))
		throw UsageError("--store-id takes 64 hexadecimal digits");
	parameters.work_tree = directories.empty() ? "." : directories[0];
	if (attached) {
		standard_output().record(attach_store(parameters.work_tree, *attached).store);
		return exit_status::done;
	}
	parameters.chunking = chunking_of(load_settings({}));
	const StorePaths paths = create_store(parameters);
	standard_output().record(paths.store);
	return exit_status::done;
}

int dig_init_store_main(int argc, char **argv) { return run(argc, argv, usage, init_store); }
