#include "libdig/process.h"

#include "libdig/file.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace dig {

static volatile std::sig_atomic_t received_signal = 0;

bool interrupted() { return received_signal != 0; }

void check_interrupted()
{
	if (interrupted())
		throw Interrupted();
}

static void note_signal(int signal)
{
	// Who asks twice does not want to wait for order.
	if (signal == SIGINT && received_signal == SIGINT)
		::_exit(exit_status::interrupted);
	received_signal = signal;
}

static void catch_signal(int signal)
{
	struct sigaction old;
	// nohup and the shell's "&" ask for this by ignoring the signal.
	if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN)
		return;
	struct sigaction action = {};
	action.sa_handler = note_signal;
	// Without SA_RESTART: what waits is to notice.
	::sigaction(signal, &action, nullptr);
}

void catch_signals()
{
	for (int signal : {SIGINT, SIGTERM, SIGHUP})
		catch_signal(signal);
	std::signal(SIGPIPE, SIG_IGN);
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

bool wait_until_readable(int fd, int timeout_ms)
{
	pollfd waiting{fd, POLLIN, 0};
	for (;;) {
		check_interrupted();
		const int count = ::poll(&waiting, 1, timeout_ms);
		if (count >= 0)
			return count > 0;
		if (errno != EINTR)
			throw SystemError("wait for input", "", errno);
	}
}

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

std::string own_directory()
{
	std::string path(4096, '\0');
	const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
	if (size < 0)
		throw SystemError("read", "/proc/self/exe", errno);
	path.resize(static_cast<std::size_t>(size));
	return path.substr(0, path.rfind('/'));
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
	// Ignored signals would stay ignored in the program, and few programs expect it.
	std::signal(SIGPIPE, SIG_DFL);
	::execvp(command.at(0).c_str(), pointers_to(command).data());
	const int error = errno;
	std::signal(SIGPIPE, SIG_IGN);
	throw SystemError("run", command[0], error);
}

// What posix_spawn takes: which streams to replace, and SIGPIPE as programs expect it.
class SpawnPlan {
public:
	SpawnPlan()
	{
		::posix_spawn_file_actions_init(&actions_);
		::posix_spawnattr_init(&attributes_);
		sigset_t set;
		::sigemptyset(&set);
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
	input_ = std::exchange(in.write_end, -1);
	output_ = std::exchange(out.read_end, -1);
}

Child::Child(Child &&other) noexcept
	: pid_(std::exchange(other.pid_, -1)), input_(std::exchange(other.input_, -1)),
	  output_(std::exchange(other.output_, -1))
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

int Child::wait()
{
	close_input();
	close_output();
	if (pid_ < 0)
		return exit_status::failed;
	int status = 0;
	bool was_told = false;
	while (::waitpid(pid_, &status, 0) < 0) {
		if (errno != EINTR) {
			pid_ = -1;
			return exit_status::failed;
		}
		// SIGINT comes from the terminal, which has told the child too.
		if (interrupted() && received_signal != SIGINT && !std::exchange(was_told, true))
			::kill(pid_, SIGTERM);
	}
	pid_ = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
	return statuses;
}

} // namespace dig
