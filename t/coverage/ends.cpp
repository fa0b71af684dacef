// Linked by --wrap into a tree that is built with COVERAGE=yes, and into no other.
//
// The counters of lines are written when a process exits.  One that ends by a signal of its own, as
// dig does at SIGINT or at a broken pipe, by _exit(2) or by exec(3), would leave none; so they are
// written before such an end.  (GCC sees to exec by itself, but not in the language of a standard,
// where the name is no builtin.)
//
// A second writing within the first, by a handler, would spoil the files.  So no signal comes
// meanwhile.  Where a handler has interrupted malloc(3), the process hangs in here; a tree that only
// counts lines may have that.
#include <csignal>

extern "C" {

void __gcov_dump();
void __gcov_reset();
int __real_raise(int signal);
int __real_execvp(const char *file, char *const arguments[]);
[[noreturn]] void __real__exit(int status);

static sigset_t block_signals()
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	return before;
}

static void write_counters()
{
	const sigset_t before = block_signals();
	__gcov_dump();
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// libgcov's own writing comes behind it.
[[gnu::destructor]] static void begin_exit() { block_signals(); }

int __wrap_raise(int signal)
{
	write_counters();
	const int result = __real_raise(signal);
	// Counters that were written are not written again without this.
	__gcov_reset();
	return result;
}

int __wrap_execvp(const char *file, char *const arguments[])
{
	write_counters();
	const int result = __real_execvp(file, arguments);
	__gcov_reset();
	return result;
}

[[noreturn]] void __wrap__exit(int status)
{
	write_counters();
	__real__exit(status);
}
}
