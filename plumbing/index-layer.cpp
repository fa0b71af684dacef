#include "libdig/base/byte_size.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/import_layer.h"

using namespace dig;

static constexpr char usage[] = "dig-index-layer [-q] [--progress[=WHEN]] [--metrics[=FILE]] FILE|-";

static int index_layer_command(Options &options)
{
	bool quiet = false;
	std::vector<std::string> names;
	Report report;
	report.add_to(options).flag("quiet", 'q', quiet, "no summary").positional(names, 1, 1).parse();
	const StorePaths paths = get_store();
	raise_file_limit();
	const File from = names[0] == "-" ? File::standard_input() : File::open_named(names[0], O_RDONLY);
	Work &work = report.begin({{"read", 30}, {"check", 70}});
	const ImportResult result = import_layer(paths, from, work);
	report.finish();
	if (quiet)
		return exit_status::done;
	const GenerationRange &range = result.range;
	const std::string states = "@" + std::to_string(range.first) +
		(range.last > range.first ? " to @" + std::to_string(range.last) : "");
	if (result.is_known)
		standard_output().record("the store has " + states + " already");
	else
		standard_output().record(states + ", " + size_text(static_cast<double>(result.size)));
	return exit_status::done;
}

int dig_index_layer_main(int argc, char **argv) { return run(argc, argv, usage, index_layer_command); }
