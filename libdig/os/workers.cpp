// An exception that leaves a thread ends the process.  So every job goes through run(), which keeps
// what the job throws as a value, and join() throws it again in the thread that waits.
//
// Only the first failure is a cause.  Threads that wait for a unit or for room know nothing of it,
// so the owner's callback wakes them, and each of them ends by an exception of its own.  These are
// consequences, and are dropped: an extraction that fails for want of space says so, and not that
// it was stopped.
#include "libdig/os/workers.h"

#include "libdig/os/thread.h"

namespace dig {

Workers::~Workers()
{
	if (threads_.empty())
		return;
	stop();
	wait();
}

bool Workers::start(Job job)
{
	if (is_stopped_)
		return false;
	std::optional<std::thread> started = start_thread([this, job = std::move(job)] { run(job); });
	if (started)
		threads_.push_back(std::move(*started));
	return started.has_value();
}

std::size_t Workers::start(std::size_t count, const Job &job)
{
	std::size_t started = 0;
	while (started < count && start(job))
		started++;
	return started;
}

void Workers::run(const Job &job) noexcept
{
	try {
		job();
	} catch (...) {
		fail(std::current_exception());
	}
}

void Workers::fail(std::exception_ptr failure) noexcept
{
	{
		std::lock_guard guard(mutex_);
		if (is_stopped_)
			return;
		failure_ = failure;
		is_stopped_ = true;
	}
	// Outside of our mutex: the callback takes that of its owner.
	if (stopped_)
		stopped_();
}

void Workers::wait()
{
	for (std::thread &thread : threads_)
		thread.join();
	threads_.clear();
}

void Workers::join()
{
	wait();
	// No thread is left that could write it.
	if (failure_)
		std::rethrow_exception(failure_);
}

void in_parts(std::size_t threads, std::size_t count, std::size_t part,
	const std::function<void(std::size_t, std::size_t)> &job)
{
	if (count <= part) {
		if (count > 0)
			job(0, count);
		return;
	}
	std::atomic<std::size_t> next{0};
	Workers workers;
	const Workers::Job work = [&] {
		for (std::size_t first; !workers.is_stopped() && (first = next.fetch_add(part)) < count;)
			job(first, std::min(first + part, count));
	};
	workers.start(std::min(threads, (count + part - 1) / part) - 1, work);
	workers.run(work);
	workers.join();
}

} // namespace dig
