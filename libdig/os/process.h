// This process and its children: standard streams, signals, and commands started by argv, never
// through a shell.
#ifndef DIG_PROCESS_H
#define DIG_PROCESS_H

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/base/error.h"

namespace dig {

// --- signals --------------------------------------------------------------------------------
//
// SIGINT, SIGTERM and SIGHUP end the process within a second:
//
//   * The first signal sets a flag.  Long loops look at the flag and throw Interrupted, so that
//     destructors remove unfinished files.  run() then ends the process by the same signal.
//   * From then on, an alarm comes every 50 ms to the first thread alone (thread.h).  It ends the
//     system call in which this thread waits: open, read, write, flock, waitpid.  After EINTR, all
//     of these calls look at the flag.  Other threads wait in wait_until_readable(), which the
//     signal wakes.  A thread that waits for another one is woken when that one fails.
//   * After 0.7 s, or at a second SIGINT, the process ends wherever it is.  This is no worse than
//     kill -9, and every file of a store survives that.

// A signal has asked for the end.  The status is 130, but run() ends the process by that signal.
class Interrupted : public Error {
public:
	Interrupted() : Error("interrupted", exit_status::interrupted) {}
};

// Whether such a signal has come.
bool interrupted();
// Throws Interrupted if one has.  Long loops call it at least every few milliseconds of work.
void check_interrupted();

// Installs the handlers.  A signal that was ignored stays ignored.  SIGPIPE becomes a failed write.
void catch_signals();
// Ends the process by the signal that interrupted it.
[[noreturn]] void end_interrupted();
// Ends the process by SIGPIPE.  Returns if SIGPIPE was ignored when the process began.
void end_by_broken_pipe();

// Writes the pieces of text to standard error and ends the process.  Allocates no memory.
[[noreturn]] void end_at_once(std::initializer_list<std::string_view> text, int status);

// Sleeps, and throws Interrupted.
void pause_for(std::int64_t ns);

// If a descriptor of 0, 1 and 2 is closed, opens it on /dev/null, so that no other file gets its
// number.  Reading from such a standard input fails, and so does writing to such an output.
void open_standard_streams();

// Waits until fd can be read or is at its end.  False if the timeout came first.  Throws
// Interrupted.
bool wait_until_readable(int fd, int timeout_ms = -1);
// Waits until fd can be written.  For descriptors whose write(2) does not wait (O_NONBLOCK).
void wait_until_writable(int fd);

// Closes descriptor 1, because some file systems report a failed write only then.
void close_standard_output();

bool is_terminal(int fd);
// False for a job that a shell has put in the background of the terminal.
bool is_foreground(int fd);

// Raises the limit of open files to the highest one that the system allows this process.  A walk
// keeps a file open for each level.
void raise_file_limit();
// The number of files that may be open at once.
std::size_t file_limit();

// The width of the terminal, or COLUMNS; 80 if neither is known.
int terminal_columns(int fd);

// The resources that this process has used so far.
struct ProcessUse {
	std::uint64_t peak_memory = 0; // bytes, resident
	double user_s = 0, system_s = 0;
};
ProcessUse process_use();
int process_id();

// The path of the running executable.
std::string own_program();
// Its directory, without a '/' at the end.
std::string own_directory();
// The names by which this program may have been called, without directories: argv[0] as it was
// typed, the path that was started, and each link between that path and the program.
std::vector<std::string> own_names(const char *typed);

// argv of a program.  The first word is the program.  It is searched in PATH if it has no '/'.
using Command = std::vector<std::string>;

// Runs the program in the place of this one, and does not return.  Throws a SystemError if the
// program cannot be started.
[[noreturn]] void replace_process(const Command &command);

// A running program.  If nobody has waited for it, the destructor closes its streams, sends SIGTERM
// and waits.
class Child {
public:
	// A stream of the child is a descriptor, which stays open here, or one of these two.
	static constexpr int inherit = -1; // the same stream as that of this process
	static constexpr int pipe = -2;    // a new pipe, whose other end is input() or output()

	explicit Child(const Command &command, int standard_input = inherit,
		int standard_output = inherit);
	Child(Child &&other) noexcept;
	Child &operator=(Child &&) = delete;
	~Child();

	int input() const { return input_; }   // to write to: the child reads it
	int output() const { return output_; } // to read from: the child writes it
	void close_input();
	void close_output();
	// Asks for room for that many bytes in the pipe from it; the system may have less.
	void widen_output(int size) const;

	// Closes our ends of the pipes and waits.  Returns the exit status, or 128 + n after signal n.
	// If this process is interrupted meanwhile, it sends SIGTERM to all of its children.  SIGINT
	// would be wrong: one from the terminal has reached them already, and a second one means
	// something else.
	int wait();
	// The same for a command that is a part of this one.  Throws Interrupted if either of the two
	// was interrupted, and an Error if another signal has ended the child.
	int wait_for_part();

private:
	void check_end() const;
	friend std::vector<int> run_pipeline(const std::vector<Command> &commands);

	std::string name_;
	int pid_ = -1;
	int signal_ = 0; // the signal that has ended it
	int input_ = -1, output_ = -1;
};

// Starts the commands together, each with the output of the one before as its input, and waits for
// all.  Returns their statuses in order; throws as wait_for_part() does.
std::vector<int> run_pipeline(const std::vector<Command> &commands);

} // namespace dig

#endif
