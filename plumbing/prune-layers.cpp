#include "libdig/tool/command.h"
#include "libdig/tool/prune_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-prune-layers [-nqz] [--json] [--now] [--budget=TIME] [--keep-last=N]\n"
	"                 [--keep-within=TIME] [--keep-hourly=N] [--keep-daily=N]\n"
	"                 [--keep-weekly=N] [--keep-monthly=N] [--keep-yearly=N]\n"
	"                 [--keep-tag=PATTERN] [--stdin] [--utc] [--progress[=WHEN]]\n"
	"                 [--metrics[=FILE]]\n"
	"dig-prune-layers --undo [-q]";

int dig_prune_layers_main(int argc, char **argv) { return run(argc, argv, usage, prune_command); }
