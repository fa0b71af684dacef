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
// program (porcelain/dig.cpp), which looks by what name it was called.
//
// run() turns exceptions into a message on stderr and an exit status (error.h), opens standard
// streams that were closed, arranges for signals (process.h), and lets no tool succeed whose
// output was not written.  A command that a signal interrupts ends by that signal, and one that
// nobody reads any more by SIGPIPE; neither says a word.
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

// usage is the SYNOPSIS; its first word names the tool in messages, unless another command runs it
// in its own name ("dig commit: nothing is staged").
int run(int argc, char **argv, const char *usage, const std::function<int(Options &)> &command);
int run(int argc, char **argv, const char *usage, int (*command)(Options &));

// The tool dig-NAME of this installation, to be run in the name of this command: its messages
// begin as ours do.
Command tool_command(std::string_view name);
// The same for what is found otherwise: tools that are started from here on speak in this name.
void name_tools(const std::string &name);
// What a command prints, without the newline at its end, and how it ended.
std::string output_of(const Command &command, int &status);

// The record that standard output ends with when the command fails, so that whoever reads it in a
// pipe knows that the reason was told.
void end_failed_output_with(std::string record);

// What is done for good now, as "committed @3": said when the output of the command is lost.
void accomplished(const std::string &text);

// "dig-chunk: warning: TEXT" on stderr.  Any thread may call these; before run() the tool
// has no name.
void warn(std::string_view text);
// "dig-chunk: TEXT".
void tell(std::string_view text);
// "TEXT" alone: what the work came to, at its end.
void tell_summary(std::string_view text);
// As tell(), of what failed; the status is that of the command, where the failure ends it.
void tell_error(std::string_view text, std::optional<int> status = {});

} // namespace dig

#endif
