// dig repack is dig-merge-layers.
#include "libdig/tool/command.h"
#include "libdig/tool/repack_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-repack [-nq] [--pending | --fetch] [--level=N] [--long] [--budget=TIME]\n"
	"           [--progress[=WHEN]] [--metrics[=FILE]]";

int dig_repack_main(int argc, char **argv) { return run(argc, argv, usage, repack_command); }
