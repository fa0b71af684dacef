#include "libdig/store/store.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-list-roots [-z] [-n COUNT]";

static int list_roots(Options &options)
{
	bool nul = false;
	std::optional<std::uint64_t> most;
	std::vector<std::string> none;
	options.flag("", 'z', nul, "end records with NUL")
		.value("", 'n', most, "COUNT", "only the newest ones")
		.positional(none, 0, 0)
		.parse();
	const Store store(get_store());
	Output &out = standard_output();
	out.set_end(record_end(nul));
	const RootHistory history = store.roots();
	std::uint64_t left = most.value_or(history.size());
	for (std::uint64_t i = history.size(); i > 0 && left > 0; i--, left--)
		out.record(std::to_string(i) + ' ' + to_hex(history.at(i).root) + ' ' + to_hex(history.at(i).layer_id));
	return exit_status::done;
}

int dig_list_roots_main(int argc, char **argv) { return run(argc, argv, usage, list_roots); }
