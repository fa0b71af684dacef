// How a signal ends a command.
//
// The handler of SIGINT, SIGTERM and SIGHUP only notes the signal.  Code that can stop asks
// check_interrupted(), which throws, so that destructors run and nothing is left half done.  Three
// kinds of waiting would miss a note:
//
//  * A system call that waits, as open(2) of a FIFO.  Handlers are set without SA_RESTART, so the call
//    ends with EINTR.  A signal that arrives just before the call would be missed, so a timer starts
//    with the first signal, and its ticks interrupt every later call, too.
//  * poll(2) in another thread, because a signal interrupts one thread only.  The handler writes a byte
//    into a pipe, which every wait_until() looks at; nobody reads it, so it wakes all of them.
//  * A condition variable.  Such waits have a time limit and look at the note (thread.h).
//
// After most_ticks of the timer, 0.7 s, the process ends whatever it is doing.  That is safe, because
// the store holds at any kill; and a tool ends within a second.  Its children get SIGTERM first, the
// last one before the others.  A second SIGINT ends at once.
//
// At the end the signal is raised again with its default action.  The shell then sees a command that
// was killed by the signal, and stops a loop around it, which an exit status of 130 alone does not do.
#include "libdig/os/process.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libdig/os/directory.h"
#include "libdig/os/file.h"

extern char **environ;

namespace dig {

constexpr int tick_ms = 50, most_ticks = 14;
// So much longer for a process whose children may take all of that time.
constexpr int parent_ticks = 4;

// What the handlers below touch, and no more.  One thread runs a handler, and the others ask.
static std::atomic<int> received_signal = 0, ticks = 0;
static std::atomic<int> wake_fd = -1;
static std::atomic<pid_t> children[8] = {};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);
static bool ignores_broken_pipe = false;

bool interrupted() { return received_signal != 0; }

void check_interrupted()
{
	if (interrupted())
		throw Interrupted();
}

// The last one first: it shall not take the end of the one before it for the end of its input.
static bool end_children()
{
	bool has_some = false;
	for (int i = static_cast<int>(std::size(children)); i-- > 0;)
		if (const pid_t child = children[i]) {
			::kill(child, SIGTERM);
			has_some = true;
		}
	return has_some;
}

[[noreturn]] static void end_by(int signal)
{
	std::signal(signal, SIG_DFL);
	sigset_t set;
	::sigemptyset(&set);
	::sigaddset(&set, signal);
	::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
	::raise(signal);
	// Not reached, unless whoever traces us has kept the signal.
	::_exit(128 + signal);
}

void end_interrupted()
{
	const int signal = received_signal;
	end_by(signal ? signal : SIGINT);
}

void end_by_broken_pipe()
{
	if (!ignores_broken_pipe)
		end_by(SIGPIPE);
}

void end_at_once(std::initializer_list<std::string_view> text, int status)
{
	for (const std::string_view piece : text) {
		[[maybe_unused]] const ssize_t n = ::write(2, piece.data(), piece.size());
	}
	end_children();
	::_exit(status);
}

static void start_ticks()
{
	const itimerval every{{0, tick_ms * 1000}, {0, tick_ms * 1000}};
	::setitimer(ITIMER_REAL, &every, nullptr);
}

static void note_signal(int signal)
{
	const int error = errno;
	if (!received_signal) {
		received_signal = signal;
		if (const int fd = wake_fd; fd >= 0) {
			// Never read: from now on every poll() with the other end returns at once.
			[[maybe_unused]] const ssize_t n = ::write(fd, "", 1);
		}
		start_ticks();
	} else if (signal == SIGINT && ticks > 0) {
		// Who asks twice does not want to wait for order.  Some send it twice at once, to the
		// process and to its group.
		end_children();
		end_by(received_signal);
	}
	errno = error;
}

static void note_tick(int)
{
	const int error = errno;
	ticks++;
	if (ticks == most_ticks && !end_children())
		end_by(received_signal);
	if (ticks == most_ticks + parent_ticks)
		end_by(received_signal);
	errno = error;
}

static void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {};
	action.sa_handler = handler;
	// Without SA_RESTART: what waits is to notice.
	::sigaction(signal, &action, nullptr);
}

static bool is_ignored(int signal)
{
	struct sigaction old;
	return ::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN;
}

constexpr int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

void catch_signals()
{
	handle(SIGALRM, note_tick);
	for (int signal : interrupting)
		// nohup and the shell's "&" ask for this by ignoring the signal.
		if (!is_ignored(signal))
			handle(signal, note_signal);
	// Later calls would find what the first one has set.
	static bool is_known = false;
	if (!std::exchange(is_known, true))
		ignores_broken_pipe = is_ignored(SIGPIPE);
	std::signal(SIGPIPE, SIG_IGN);
	// A file that may not grow any more is an error to tell of.
	std::signal(SIGXFSZ, SIG_IGN);
}

// The end to read of a pipe that a signal writes to.
static int interruption_fd()
{
	static const int fd = [] {
		int ends[2];
		if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
			throw SystemError("create a pipe", "", errno);
		wake_fd = ends[1];
		return ends[0];
	}();
	return fd;
}

void pause_for(std::int64_t ns)
{
	check_interrupted();
	const timespec time{static_cast<time_t>(ns / 1000000000), static_cast<long>(ns % 1000000000)};
	::nanosleep(&time, nullptr);
	check_interrupted();
}

void open_standard_streams()
{
	// Opened the wrong way round for 0 and 1, so that using them is an error.  open() takes
	// the lowest free number, which is fd here.
	for (int fd : {0, 1, 2}) {
		if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (::open("/dev/null", fd == 0 ? O_WRONLY : fd == 1 ? O_RDONLY : O_RDWR) != fd)
			::_exit(exit_status::failed);
	}
}

static bool wait_until(int fd, short event, int timeout_ms)
{
	pollfd waiting[] = {{fd, event, 0}, {interruption_fd(), POLLIN, 0}};
	for (;;) {
		check_interrupted();
		const int count = ::poll(waiting, 2, timeout_ms);
		if (count < 0 && errno != EINTR)
			throw SystemError("wait for input or output", "", errno);
		if (count == 0 || (count > 0 && waiting[0].revents))
			return count > 0;
	}
}

bool wait_until_readable(int fd, int timeout_ms) { return wait_until(fd, POLLIN, timeout_ms); }
void wait_until_writable(int fd) { wait_until(fd, POLLOUT, -1); }

void close_standard_output()
{
	if (::close(1) < 0 && errno != EINTR)
		throw SystemError("write", "standard output", errno);
}

void raise_file_limit()
{
	rlimit limit;
	if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		::setrlimit(RLIMIT_NOFILE, &limit);
	}
}

std::size_t file_limit()
{
	rlimit limit;
	return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }
bool is_foreground(int fd) { return ::tcgetpgrp(fd) == ::getpgrp(); }

int process_id() { return ::getpid(); }

// The kernel's other record, ru_maxrss, survives exec: it may be that of whoever started us.
static std::optional<std::uint64_t> find_peak_memory()
{
	const std::optional<File> file = File::find("/proc/self/status");
	if (!file)
		return {};
	std::string text(8192, '\0');
	text.resize(file->read({reinterpret_cast<std::uint8_t *>(text.data()), text.size()}));
	const std::string_view name = "VmHWM:";
	const std::size_t at = text.find(name);
	if (at == text.npos)
		return {};
	return std::strtoull(text.c_str() + at + name.size(), nullptr, 10) * 1024;
}

static double seconds(const timeval &time)
{
	return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

ProcessUse process_use()
{
	rusage use{};
	::getrusage(RUSAGE_SELF, &use);
	return {find_peak_memory().value_or(static_cast<std::uint64_t>(use.ru_maxrss) * 1024),
		seconds(use.ru_utime), seconds(use.ru_stime)};
}

int terminal_columns(int fd)
{
	winsize size{};
	if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	const char *columns = std::getenv("COLUMNS");
	const int count = columns ? std::atoi(columns) : 0;
	return count > 0 && count < 10000 ? count : 80;
}

// What the symbolic link says, if it is one.
static std::optional<std::string> find_link(const std::string &path)
{
	std::string target(4096, '\0');
	const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
	if (size < 0)
		return {};
	target.resize(static_cast<std::size_t>(size));
	return target;
}

// The path that exec(2) was given.
static std::string started_path()
{
	const auto path = reinterpret_cast<const char *>(::getauxval(AT_EXECFN));
	return path ? path : "";
}

std::string own_program()
{
	const std::optional<std::string> path = find_link("/proc/self/exe");
	// Without /proc the path that was started leads there, unless the directory was changed since.
	return path ? *path : resolved_path(started_path());
}

std::string own_directory()
{
	const std::string path = own_program();
	return path.substr(0, path.rfind('/'));
}

static std::string name_at_end(const std::string &path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::string> own_names(const char *typed)
{
	constexpr int most_links = 40; // as in the kernel
	std::vector<std::string> names{name_at_end(typed ? typed : "")};
	std::string path = started_path();
	for (int i = 0; i < most_links; i++) {
		names.push_back(name_at_end(path));
		const std::optional<std::string> target = find_link(path);
		if (!target)
			break;
		path = target->starts_with('/') ? *target : path.substr(0, path.rfind('/') + 1) + *target;
	}
	return names;
}

static std::vector<char *> pointers_to(const Command &command)
{
	std::vector<char *> pointers;
	for (const std::string &argument : command)
		pointers.push_back(const_cast<char *>(argument.c_str()));
	pointers.push_back(nullptr);
	return pointers;
}

void replace_process(const Command &command)
{
	// The program starts with the signals that this one has started with: the handlers go with
	// this one.  What has arrived before that shall not be forgotten.
	for (int signal : interrupting)
		if (!is_ignored(signal))
			std::signal(signal, SIG_DFL);
	check_interrupted();
	std::signal(SIGXFSZ, SIG_DFL);
	if (!ignores_broken_pipe)
		std::signal(SIGPIPE, SIG_DFL);
	::execvp(command.at(0).c_str(), pointers_to(command).data());
	const int error = errno;
	catch_signals();
	throw SystemError("run", command[0], error);
}

// What posix_spawn takes: which streams to replace, and signals as programs expect them.
class SpawnPlan {
public:
	SpawnPlan()
	{
		::posix_spawn_file_actions_init(&actions_);
		::posix_spawnattr_init(&attributes_);
		sigset_t set;
		::sigemptyset(&set);
		::sigaddset(&set, SIGXFSZ);
		if (!ignores_broken_pipe)
			::sigaddset(&set, SIGPIPE);
		::posix_spawnattr_setsigdefault(&attributes_, &set);
		::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
	}
	~SpawnPlan()
	{
		::posix_spawn_file_actions_destroy(&actions_);
		::posix_spawnattr_destroy(&attributes_);
	}
	SpawnPlan(const SpawnPlan &) = delete;
	SpawnPlan &operator=(const SpawnPlan &) = delete;

	void replace(int stream, int fd)
	{
		::posix_spawn_file_actions_adddup2(&actions_, fd, stream);
	}
	// The child's process id.
	int start(const Command &command) const
	{
		pid_t pid = -1;
		const int error = ::posix_spawnp(&pid, command.at(0).c_str(), &actions_, &attributes_,
			pointers_to(command).data(), environ);
		if (error != 0)
			throw SystemError("run", command[0], error);
		return pid;
	}

private:
	posix_spawn_file_actions_t actions_;
	posix_spawnattr_t attributes_;
};

// Both ends of a pipe, closed unless taken.
struct Pipe {
	int read_end = -1, write_end = -1;

	void open()
	{
		int ends[2];
		if (::pipe2(ends, O_CLOEXEC) < 0)
			throw SystemError("create a pipe", "", errno);
		read_end = ends[0];
		write_end = ends[1];
	}
	~Pipe()
	{
		for (int fd : {read_end, write_end})
			if (fd >= 0)
				::close(fd);
	}
};

static void close_once(int &fd)
{
	if (fd >= 0)
		::close(std::exchange(fd, -1));
}

Child::Child(const Command &command, int standard_input, int standard_output)
	: name_(command.at(0).substr(command[0].rfind('/') + 1))
{
	SpawnPlan plan;
	Pipe in, out;
	if (standard_input == pipe) {
		in.open();
		plan.replace(0, in.read_end);
	} else if (standard_input != inherit) {
		plan.replace(0, standard_input);
	}
	if (standard_output == pipe) {
		out.open();
		plan.replace(1, out.write_end);
	} else if (standard_output != inherit) {
		plan.replace(1, standard_output);
	}
	pid_ = plan.start(command);
	for (std::atomic<pid_t> &child : children)
		if (pid_t free = 0; child.compare_exchange_strong(free, pid_))
			break;
	input_ = std::exchange(in.write_end, -1);
	output_ = std::exchange(out.read_end, -1);
}

Child::Child(Child &&other) noexcept
	: name_(std::move(other.name_)), pid_(std::exchange(other.pid_, -1)), signal_(other.signal_),
	  input_(std::exchange(other.input_, -1)), output_(std::exchange(other.output_, -1))
{
}

Child::~Child()
{
	if (pid_ < 0)
		return;
	::kill(pid_, SIGTERM);
	wait();
}

void Child::close_input() { close_once(input_); }
void Child::close_output() { close_once(output_); }
void Child::widen_output(int size) const { static_cast<void>(::fcntl(output_, F_SETPIPE_SZ, size)); }

int Child::wait()
{
	close_input();
	close_output();
	if (pid_ < 0)
		return exit_status::failed;
	int status = 0;
	bool were_told = false;
	for (;;) {
		if (interrupted() && !std::exchange(were_told, true))
			end_children();
		if (::waitpid(pid_, &status, 0) >= 0)
			break;
		if (errno != EINTR) {
			status = exit_status::failed << 8;
			break;
		}
	}
	for (std::atomic<pid_t> &child : children)
		if (pid_t known = pid_; child.compare_exchange_strong(known, 0))
			break;
	pid_ = -1;
	signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return signal_ ? 128 + signal_ : WEXITSTATUS(status);
}

// A command that nobody reads any more has failed only if its reader has.
void Child::check_end() const
{
	check_interrupted();
	if (signal_ == 0 || signal_ == SIGPIPE)
		return;
	if (std::find(std::begin(interrupting), std::end(interrupting), signal_) != std::end(interrupting)) {
		received_signal = signal_;
		throw Interrupted();
	}
	throw Error(quote(name_) + " was ended by signal " + std::to_string(signal_));
}

int Child::wait_for_part()
{
	const int status = wait();
	check_end();
	return status;
}

std::vector<int> run_pipeline(const std::vector<Command> &commands)
{
	std::vector<Child> children;
	for (std::size_t i = 0; i < commands.size(); i++) {
		const bool is_last = i + 1 == commands.size();
		children.emplace_back(commands[i], i == 0 ? Child::inherit : children[i - 1].output(),
			is_last ? Child::inherit : Child::pipe);
		// Only the next child may hold the reading end, or its writer never sees it gone.
		if (i > 0)
			children[i - 1].close_output();
	}
	std::vector<int> statuses;
	for (Child &child : children)
		statuses.push_back(child.wait());
	for (const Child &child : children)
		child.check_end();
	return statuses;
}

} // namespace dig
