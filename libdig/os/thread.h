// Threads beside the first one.  The alarm that ends system calls is for the first one alone
// (process.h), and a machine that has no thread to give is no reason to end: all work can be done by
// fewer.
#ifndef DIG_THREAD_H
#define DIG_THREAD_H

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace dig {

// Nothing where the system refuses.
std::optional<std::thread> start_thread(std::function<void()> run);

// Waits for the condition, in the first thread, and throws Interrupted.
void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock,
	const std::function<bool()> &condition);
// Waits for a change, or for no reason.
void wait_interruptibly(std::condition_variable &changed, std::unique_lock<std::mutex> &lock);

} // namespace dig

#endif
