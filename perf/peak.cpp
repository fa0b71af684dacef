// peak OUT COMMAND [ARGUMENT...] runs a command and writes one line to OUT: the largest resident
// set that any process of it had (KiB), the seconds it took, and the minor page faults of all.
//
// A program of its own because a process inherits the peak of what it was before exec: below a
// shell or an interpreter, every small tool would look as large as that.
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double now()
{
	timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int status_of(pid_t child)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		std::fputs("usage: peak OUT COMMAND [ARGUMENT...]\n", stderr);
		return 129;
	}
	std::FILE *out = std::fopen(argv[1], "we");
	if (!out) {
		std::perror(argv[1]);
		return 128;
	}
	const double start = now();
	const pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		std::perror(argv[2]);
		_exit(127);
	}
	const int status = child < 0 ? 128 : status_of(child);
	const double seconds = now() - start;
	// Of the children are also their children, as long as somebody waited for them.
	rusage usage{};
	getrusage(RUSAGE_CHILDREN, &usage);
	std::fprintf(out, "%ld %.6f %ld\n", usage.ru_maxrss, seconds, usage.ru_minflt);
	if (status != 0)
		std::fprintf(stderr, "peak: exit status %d from %s\n", status, argv[2]);
	return std::fclose(out) == 0 ? status : 128;
}
