// This process and its children: standard streams, signals, and commands started by argv, never
// through a shell.
#ifndef DIG_PROCESS_H
#define DIG_PROCESS_H

#include <cstdint>
#include <string>
#include <vector>

#include "libdig/error.h"

namespace dig {

// SIGINT, SIGTERM or SIGHUP arrived: exit status 130.
class Interrupted : public Error {
public:
	Interrupted() : Error("interrupted", exit_status::interrupted) {}
};

// Long loops ask, at least every few milliseconds of work, and end by throwing Interrupted.
bool interrupted();
void check_interrupted();

// SIGINT, SIGTERM and SIGHUP set the flag (those that were ignored stay ignored), a second
// SIGINT ends the process at once with 130; SIGPIPE is ignored, so that writes fail instead.
void catch_signals();

// Opens descriptors 0, 1 and 2 on /dev/null where they are closed, so that no other file gets
// their number.  Reading such a standard input, or writing to such an output, fails.
void open_standard_streams();

// Waits until fd can be read or is at its end.  Throws Interrupted.  With a timeout, false when
// that came first.
bool wait_until_readable(int fd, int timeout_ms = -1);

// Closes descriptor 1, for file systems that report a failed write only then.
void close_standard_output();

bool is_terminal(int fd);
// False for a job that a shell has put in the background of the terminal.
bool is_foreground(int fd);

// As many open files as the system allows this process: a walk keeps one a level.
void raise_file_limit();
// How many files may be open at once.
std::size_t file_limit();

// Of the terminal, or COLUMNS; 80 when unknown.
int terminal_columns(int fd);

// What this process has used so far.
struct ProcessUse {
	std::uint64_t peak_memory = 0; // bytes, resident
	double user_s = 0, system_s = 0;
};
ProcessUse process_use();
int process_id();

// The directory of the running executable, without a '/' at its end.
std::string own_directory();

// argv[0] is the program, and is searched in PATH when it has no '/'.
using Command = std::vector<std::string>;

// Becomes the program.  Returns by throwing only, SystemError when it cannot be started.
[[noreturn]] void replace_process(const Command &command);

// A running program.  A child that nobody waited for is waited for by the destructor, after its
// streams are closed and SIGTERM is sent.
class Child {
public:
	// A descriptor to hand over (it stays open here), or one of these two.
	static constexpr int inherit = -1; // the same stream as ours
	static constexpr int pipe = -2;    // a new pipe; our end is input() or output()

	explicit Child(const Command &command, int standard_input = inherit,
		int standard_output = inherit);
	Child(Child &&other) noexcept;
	Child &operator=(Child &&) = delete;
	~Child();

	int input() const { return input_; }   // write here what the child reads
	int output() const { return output_; } // read here what the child writes
	void close_input();
	void close_output();

	// Closes our ends and waits.  The exit status, or 128 + n after signal n.  SIGTERM and
	// SIGHUP that arrive meanwhile are passed on as SIGTERM.
	int wait();

private:
	int pid_ = -1;
	int input_ = -1, output_ = -1;
};

// Runs the commands at once, each one's output the next one's input, and waits for all.  The
// statuses as of Child::wait(), in the order of the commands.
std::vector<int> run_pipeline(const std::vector<Command> &commands);

} // namespace dig

#endif
