#include "libdig/tool/command.h"
#include "libdig/tool/repack_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-merge-layers [-nq] [--pending | --fetch] [--level=N] [--long]\n"
	"                 [--budget=TIME] [--progress[=WHEN]] [--metrics[=FILE]]";

int dig_merge_layers_main(int argc, char **argv) { return run(argc, argv, usage, repack_command); }
