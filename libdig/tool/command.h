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
//     int dig_chunk_main(int argc, char **argv) { return run(argc, argv, usage, chunk); }
//
// The last function is the entry of the tool, and its name is that of the file.  All tools are one
// program (porcelain/dig.cpp), which chooses the tool by the name that it was called by.
//
// run() opens standard streams that were closed, installs the handlers of signals (process.h), and
// turns an exception into a message on stderr and an exit status (error.h).  A tool fails if its
// output cannot be written.  A command that a signal interrupts ends by that signal, without a
// message.  If the reader of its output has gone, it ends by SIGPIPE, also without a message.
#ifndef DIG_COMMAND_H
#define DIG_COMMAND_H

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/error.h"
#include "libdig/os/process.h"
#include "libdig/tool/options.h"
#include "libdig/tool/records.h"

namespace dig {

// usage is the SYNOPSIS of the page.  Messages begin with its first word, or with the name of the
// command that runs the tool as a part of itself ("dig commit: nothing is staged").
int run(int argc, char **argv, const char *usage, const std::function<int(Options &)> &command);
int run(int argc, char **argv, const char *usage, int (*command)(Options &));

// The tool dig-NAME of this installation, as a part of this command: its messages begin with the
// name of this command.
Command tool_command(std::string_view name);
// The messages of all tools that are started after this call begin with this name.
void name_tools(const std::string &name);
// Runs the command.  Returns its output without the newlines at the end, and its exit status.
std::string output_of(const Command &command, int &status);

// If the command fails, standard output ends with this record.  A program that reads the output in
// a pipe then knows that the reason was told already.
void end_failed_output_with(std::string record);

// Notes something that is done for good, such as "committed @3".  If the output of the command is
// lost, a message says so and has this text.
void accomplished(const std::string &text);

// These print to stderr, as a line or, with --progress=json, as an object.  Any thread may call
// them.  Before run() the tool has no name, and the text stands alone.

// "dig-chunk: warning: TEXT"
void warn(std::string_view text);
// "dig-chunk: TEXT"
void tell(std::string_view text);
// "TEXT": the result of the work, at its end.
void tell_summary(std::string_view text);
// "dig-chunk: TEXT", for a failure.  status is that of the command if the failure ends it.
void tell_error(std::string_view text, std::optional<int> status = {});

} // namespace dig

#endif
