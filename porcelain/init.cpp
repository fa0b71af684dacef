// dig init is dig-init-store, with a sentence for its path.
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-init [--store=DIR] [--store-id=HEX] [DIRECTORY]\n"
				"dig-init --attach=STORE [DIRECTORY]";

static int init(Options &options)
{
	std::optional<std::string> store, id, attached;
	std::vector<std::string> directories;
	options.value("store", 0, store, "DIR", "create the store there; .dig names it")
		.value("store-id", 0, id, "HEX", "the id, 64 digits, instead of a random one")
		.value("attach", 0, attached, "STORE", "use this existing store")
		.positional(directories, 0, 1)
		.parse();
	Command make = tool_command("init-store");
	if (store)
		make.push_back("--store=" + *store);
	if (id)
		make.push_back("--store-id=" + *id);
	if (attached)
		make.push_back("--attach=" + *attached);
	make.push_back("--");
	make.insert(make.end(), directories.begin(), directories.end());
	int status;
	const std::string path = output_of(make, status);
	if (status == exit_status::done)
		standard_output().record((attached ? "attached to the store " : "new store in ") + path);
	return status;
}

int dig_init_main(int argc, char **argv) { return run(argc, argv, usage, init); }
