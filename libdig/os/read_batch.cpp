// A small file costs four system calls: open, stat, read and close.  io_uring takes a batch of them
// in one call, so the files of a group are opened together, then read together, then closed
// together.  Only stat is called for each file, because the result has to be what is true after the
// last byte was read: had the file been changed meanwhile, the size or the time would be others.
//
// The operations of one file are not linked, because reading needs the descriptor, which is known
// only after the file was opened.
//
// The kernel writes into the rooms as long as an operation is under way, and rooms belong to the
// caller.  So read() never returns while the kernel works: if it takes no more operations and some
// are still under way, an error is thrown that ends the whole command.  If none is under way, the
// ring is given up, and the caller reads the files one by one.
//
// A file that fails in any step is simply left unread.  The caller reads it again with the usual
// calls and reports what these say, so that messages do not depend on whether there is a ring.
#include "libdig/os/read_batch.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <liburing.h>
#include <linux/openat2.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "libdig/os/process.h"

namespace dig {

constexpr unsigned ring_entries = 128;
// A ring may get nothing done this many times in a row, with a pause of 1 ms each time.
constexpr int most_idle_calls = 100;

struct BatchReader::Ring {
	io_uring uring{};
	bool is_there = false;
	// The result of the last operation on each file, by its number in the group.
	int results[ring_entries] = {};

	Ring()
	{
		io_uring_params parameters{};
		parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN;
		is_there = io_uring_queue_init_params(ring_entries, &uring, &parameters) == 0;
		if (!is_there)
			is_there = io_uring_queue_init(ring_entries, &uring, 0) == 0;
	}
	~Ring()
	{
		if (is_there)
			io_uring_queue_exit(&uring);
	}

	io_uring_sqe *entry(std::size_t number)
	{
		results[number] = -EAGAIN;
		io_uring_sqe *sqe = io_uring_get_sqe(&uring);
		io_uring_sqe_set_data64(sqe, number);
		return sqe;
	}

	// Runs all prepared operations to their ends.  False if the kernel takes no more of them:
	// then the others have the result EAGAIN, and the ring is of no use any more.
	bool run(unsigned count)
	{
		unsigned waiting = count; // that the kernel has not taken
		int idle_calls = 0;
		for (unsigned done = 0; done < count;) {
			const int status = io_uring_submit_and_wait(&uring, count - done);
			const unsigned done_before = done;
			waiting -= status > 0 ? static_cast<unsigned>(status) : 0;
			io_uring_cqe *cqe;
			while (io_uring_peek_cqe(&uring, &cqe) == 0) {
				results[io_uring_cqe_get_data64(cqe)] = cqe->res;
				io_uring_cqe_seen(&uring, cqe);
				done++;
			}
			idle_calls = status > 0 || done > done_before ? 0 : idle_calls + 1;
			const bool may_pass = status >= 0 || status == -EINTR || status == -EAGAIN || status == -EBUSY;
			if (done == count || (may_pass && idle_calls < most_idle_calls)) {
				if (idle_calls > 0)
					pause_for(1000000);
				continue;
			}
			// Operations that are under way still write into the rooms.
			if (done < count - waiting)
				throw SystemError("read", "a batch of files", status < 0 ? -status : EAGAIN);
			return is_there = false;
		}
		return true;
	}
};

BatchReader::BatchReader(const File &directory, std::size_t most_open)
	: directory_(directory), most_open_(std::min<std::size_t>(most_open, ring_entries))
{
}

BatchReader::~BatchReader() = default;

void BatchReader::read(std::span<BatchedFile> files)
{
	const auto count = std::count_if(files.begin(), files.end(), [](const BatchedFile &file) { return file.path; });
	if (most_open_ < 2 || count < 2)
		return;
	if (!ring_)
		ring_ = std::make_unique<Ring>();
	if (!ring_->is_there) {
		ring_.reset();
		most_open_ = 0;
		return;
	}
	for (std::size_t at = 0; at < files.size() && ring_->is_there; at += most_open_)
		read_some(files.subspan(at, std::min(most_open_, files.size() - at)));
}

void BatchReader::read_some(std::span<BatchedFile> files)
{
	open_how how{};
	how.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	unsigned count = 0;
	File opened[ring_entries];
	for (std::size_t i = 0; i < files.size(); i++) {
		ring_->results[i] = -ENAMETOOLONG;
		if (!files[i].path || files[i].path->size() >= PATH_MAX - 1)
			continue;
		io_uring_prep_openat2(ring_->entry(i), directory_.fd(), files[i].path->c_str(), &how);
		count++;
	}
	bool goes_on = ring_->run(count);
	count = 0;
	for (std::size_t i = 0; i < files.size(); i++) {
		if (ring_->results[i] < 0)
			continue;
		opened[i] = File(ring_->results[i], {});
		if (!goes_on)
			continue;
		const MutableBytes room = files[i].room;
		io_uring_prep_read(ring_->entry(i), opened[i].fd(), room.data(), static_cast<unsigned>(room.size()), 0);
		count++;
	}
	goes_on = goes_on && ring_->run(count);
	if (!goes_on)
		return;
	count = 0;
	int closing[ring_entries];
	for (std::size_t i = 0; i < files.size(); i++) {
		closing[i] = -1;
		if (!opened[i].is_open())
			continue;
		if (ring_->results[i] >= 0 && static_cast<std::size_t>(ring_->results[i]) == files[i].room.size()) {
			files[i].stat = opened[i].stat();
			files[i].is_read = files[i].stat.type == FileType::regular &&
				files[i].stat.size == files[i].room.size();
		}
		closing[i] = opened[i].release();
		io_uring_prep_close(ring_->entry(i), closing[i]);
		count++;
	}
	if (ring_->run(count))
		return;
	for (std::size_t i = 0; i < files.size(); i++)
		if (closing[i] >= 0 && ring_->results[i] == -EAGAIN)
			File(closing[i], {});
}

} // namespace dig
