// Being a command.  A tool is
//
//     static constexpr char usage[] = "dig-chunk [-z] [--target=SIZE] FILE...";
//
//     static int chunk(Options &options)
//     {
//         bool nul = false;
//         std::vector<std::string> files;
//         options.flag("", 'z', nul, "end records with NUL").positional(files, 1).parse();
//         ...
//         standard_output().record(text);
//         return exit_status::done;
//     }
//
//     int main(int argc, char **argv) { return run(argc, argv, usage, chunk); }
//
// run() turns exceptions into a message on stderr and an exit status (error.h), opens standard
// streams that were closed, arranges for signals (process.h), and lets no tool succeed whose
// output was not written.
#ifndef DIG_COMMAND_H
#define DIG_COMMAND_H

#include <string_view>

#include "libdig/error.h"
#include "libdig/options.h"
#include "libdig/process.h"
#include "libdig/records.h"

namespace dig {

// usage is the SYNOPSIS; its first word names the tool in messages, and so does the second after
// "dig", as in "dig commit -m TEXT".
int run(int argc, char **argv, const char *usage, int (*command)(Options &));

// "dig-chunk: warning: TEXT" on stderr.  Any thread may call these two; before run() the tool
// has no name.
void warn(std::string_view text);
// "dig-chunk: TEXT".
void tell(std::string_view text);

} // namespace dig

#endif
