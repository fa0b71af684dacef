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
// SIGINT, SIGTERM and SIGHUP ask for the end, and there is an end within a second:
//
//   * The first one sets a flag.  Long loops ask for it, and leave by throwing Interrupted, so that
//     destructors remove what is half done; run() then ends the process by the same signal.
//   * From then on an alarm comes every 50 ms, to the first thread alone (thread.h), and ends the
//     system call that this thread waits in: open, read, write, flock, waitpid.  All of them ask for
//     the flag at EINTR.  What may wait in another thread waits in wait_until_readable(), which the
//     signal wakes; threads that wait for threads are woken by the one that fails.
//   * After 0.7 s, or a second SIGINT, the process ends where it is.  That is what kill -9 does, and
//     what every file of a store is made for.

// A signal asked for the end: exit status 130, or rather the end by that signal.
class Interrupted : public Error {
public:
	Interrupted() : Error("interrupted", exit_status::interrupted) {}
};

// Long loops ask, at least every few milliseconds of work, and end by throwing Interrupted.
bool interrupted();
void check_interrupted();

// Those of the three that were ignored stay ignored.  SIGPIPE becomes a write that fails.
void catch_signals();
// Ends the process by the signal that interrupted it, or by SIGPIPE; returns where SIGPIPE was
// ignored when the process began.
[[noreturn]] void end_interrupted();
void end_by_broken_pipe();

// Writes the text, which may lie anywhere, to standard error and ends the process.  Needs no
// memory.
[[noreturn]] void end_at_once(std::initializer_list<std::string_view> text, int status);

// Sleeps, and throws Interrupted.
void pause_for(std::int64_t ns);

// Opens descriptors 0, 1 and 2 on /dev/null where they are closed, so that no other file gets
// their number.  Reading such a standard input, or writing to such an output, fails.
void open_standard_streams();

// Waits until fd can be read or is at its end.  Throws Interrupted.  With a timeout, false when
// that came first.
bool wait_until_readable(int fd, int timeout_ms = -1);
// The same for a descriptor that refuses to wait in write(2).
void wait_until_writable(int fd);

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

// The running executable, and its directory, without a '/' at its end.
std::string own_program();
std::string own_directory();
// The names of this program that its caller may have meant, without directories: argv[0] as it was
// typed, the path that was started, and each link between that and the program.
std::vector<std::string> own_names(const char *typed);

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

	// Closes our ends and waits.  The exit status, or 128 + n after signal n.  When this
	// process is interrupted meanwhile, all of its children are: by SIGTERM, since a SIGINT
	// from the terminal has reached them already and a second one would have another meaning.
	int wait();
	// The same for a command of ours: when it or this process was interrupted, so is what waits
	// for it, by throwing.  Error when another signal has ended it.
	int wait_for_part();

private:
	void check_end() const;
	friend std::vector<int> run_pipeline(const std::vector<Command> &commands);

	std::string name_;
	int pid_ = -1;
	int signal_ = 0; // that has ended it
	int input_ = -1, output_ = -1;
};

// Runs the commands at once, each one's output the next one's input, and waits for all.  The
// statuses as of wait_for_part(), in the order of the commands.
std::vector<int> run_pipeline(const std::vector<Command> &commands);

} // namespace dig

#endif
