// Threads that do one piece of work together, and the caller with them.
//
// The first failure wins: it stops the others, and join() throws it in the caller.  What a thread
// throws after that is a consequence of the stop and is not kept.  Where the system has no thread to
// give, fewer do all of the work.
//
// The threads are joined before this object ends.  What they work on has to outlive it: declare it
// behind the mutex, the conditions and the queues that they use.
#ifndef DIG_WORKERS_H
#define DIG_WORKERS_H

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace dig {

class Workers {
public:
	using Job = std::function<void()>;

	// stopped wakes up what waits, so that it sees is_stopped().  It is called once, by the thread
	// that stops the others, and must not throw.
	explicit Workers(std::function<void()> stopped = {}) : stopped_(std::move(stopped)) {}
	// Stops the threads that were not joined, and waits for them.
	~Workers();
	Workers(const Workers &) = delete;

	// start(), wait() and join() are for one thread, which is none of the workers.

	// One thread more; false where the system refuses, or after a stop.
	bool start(Job job);
	// As many as the system gives, up to count; how many these are.
	std::size_t start(std::size_t count, const Job &job);
	// The caller is a worker as well: what job throws is a failure as that of a thread.
	void run(const Job &job) noexcept;
	// Waits for the threads, without stopping them.
	void wait();
	// The same, and throws the first failure.  Without one, others can be started after it.
	void join();
	// Threads that are not joined.
	std::size_t size() const { return threads_.size(); }

	// Any thread.
	bool is_stopped() const { return is_stopped_; }
	void stop() noexcept { fail(nullptr); }
	void fail(std::exception_ptr failure) noexcept;

private:
	std::function<void()> stopped_;
	std::vector<std::thread> threads_;
	std::atomic<bool> is_stopped_{false};
	std::mutex mutex_;
	std::exception_ptr failure_; // under the mutex while there are threads
};

// Calls job(first, end) for parts of so many things, until all were taken.  The caller does so, too; there
// are others only if there is more than one part.  Throws the first failure, which stops all.
void in_parts(std::size_t threads, std::size_t count, std::size_t part,
	const std::function<void(std::size_t, std::size_t)> &job);

} // namespace dig

#endif
