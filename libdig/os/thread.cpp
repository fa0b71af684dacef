#include "libdig/os/thread.h"

#include <chrono>
#include <csignal>
#include <exception>
#include <malloc.h>
#include <sys/resource.h>

#include "libdig/os/process.h"

namespace dig {

// The C library would make eight heaps for each core of the machine, and each keeps what its threads have
// once used at the same time.  Few are enough, since nothing allocates often.  What is large is no part
// of a heap: it goes back to the system when it is freed.
static void bound_heaps()
{
#ifdef __GLIBC__
	static const bool is_done = ::mallopt(M_ARENA_MAX, 4) && ::mallopt(M_MMAP_THRESHOLD, 512 * 1024);
	static_cast<void>(is_done);
#endif
}

std::optional<std::thread> start_thread(std::function<void()> run)
{
	bound_heaps();
	// A thread begins with the mask of the one that starts it.
	sigset_t alarm, before;
	::sigemptyset(&alarm);
	::sigaddset(&alarm, SIGALRM);
	::pthread_sigmask(SIG_BLOCK, &alarm, &before);
	std::optional<std::thread> thread;
	try {
		thread.emplace(std::move(run));
	} catch (const std::exception &) {
		// Neither thread nor memory.
	}
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return thread;
}

// Waking 20 times a second costs nothing, and a signal still seems to act at once.
// A signal does not end the wait for a condition.
constexpr auto longest_wait = std::chrono::milliseconds(50);

void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock,
	const std::function<bool()> &condition)
{
	while (!condition())
		wait_interruptibly(changed, lock);
}

void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock)
{
	check_interrupted();
	changed.wait_for(lock, longest_wait);
	check_interrupted();
}

std::uint64_t voluntary_switches()
{
	rusage use{};
	::getrusage(RUSAGE_THREAD, &use);
	return static_cast<std::uint64_t>(use.ru_nvcsw);
}

} // namespace dig
