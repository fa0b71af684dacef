// What dig-merge-layers and dig repack do.
#ifndef DIG_REPACK_COMMAND_H
#define DIG_REPACK_COMMAND_H

#include "libdig/tool/options.h"

namespace dig {

// Reads the options and does the work; the exit status.
int repack_command(Options &options);

} // namespace dig

#endif
