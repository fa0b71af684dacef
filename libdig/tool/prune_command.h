// What dig-prune-layers and dig gc do.
#ifndef DIG_PRUNE_COMMAND_H
#define DIG_PRUNE_COMMAND_H

#include "libdig/tool/options.h"

namespace dig {

// Reads the options and does the work; the exit status.
int prune_command(Options &options);

} // namespace dig

#endif
