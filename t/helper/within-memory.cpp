// within-memory COMMAND [ARGUMENT...] runs a command, whose status it ends with, or with 125 and a
// message when a process of it had more than 97,656 KiB (100 MB) in memory at once.
//
// A program of its own because a process inherits the peak of what it was before exec.
#include <cerrno>
#include <cstdio>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

constexpr long most_kib = 97656;

int main(int argc, char **argv)
{
	if (argc < 2) {
		std::fputs("usage: within-memory COMMAND [ARGUMENT...]\n", stderr);
		return 129;
	}
	const pid_t child = fork();
	if (child == 0) {
		execvp(argv[1], argv + 1);
		std::perror(argv[1]);
		_exit(127);
	}
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	// Of the children are also their children, as long as somebody waited for them.
	rusage usage{};
	getrusage(RUSAGE_CHILDREN, &usage);
	if (usage.ru_maxrss > most_kib) {
		std::fprintf(stderr, "within-memory: %ld KiB are too many, in %s\n", usage.ru_maxrss, argv[1]);
		return 125;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
