// Threads beside the first one.  The alarm that ends system calls goes to the first thread alone
// (process.h).  If the system refuses a thread, the work goes on with fewer threads.
#ifndef DIG_THREAD_H
#define DIG_THREAD_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace dig {

// Nothing if the system refuses.
std::optional<std::thread> start_thread(std::function<void()> run);

// Waits for the condition, in the first thread, and throws Interrupted.
void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock,
	const std::function<bool()> &condition);
// Waits for a change, or for no reason.
void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock);

// How often this thread has given up its core so far, because it had to wait (getrusage(2)).
std::uint64_t voluntary_switches();

} // namespace dig

#endif
