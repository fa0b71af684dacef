#include "libdig/read_batch.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <liburing.h>
#include <linux/openat2.h>
#include <unistd.h>

#include "libdig/error.h"

namespace dig {

constexpr unsigned ring_entries = 128;

struct BatchReader::Ring {
	io_uring uring{};
	bool is_there = false;
	// By number of the file in its group: what the last operation on it returned.
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
		io_uring_sqe *sqe = io_uring_get_sqe(&uring);
		io_uring_sqe_set_data64(sqe, number);
		return sqe;
	}

	// Everything that was prepared, to its end.
	void run(unsigned count)
	{
		for (unsigned done = 0; done < count;) {
			const int status = io_uring_submit_and_wait(&uring, count - done);
			if (status < 0 && status != -EINTR && status != -EAGAIN && status != -EBUSY)
				throw SystemError("read", "a batch of files", -status);
			io_uring_cqe *cqe;
			while (io_uring_peek_cqe(&uring, &cqe) == 0) {
				results[io_uring_cqe_get_data64(cqe)] = cqe->res;
				io_uring_cqe_seen(&uring, cqe);
				done++;
			}
		}
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
	for (std::size_t at = 0; at < files.size(); at += most_open_)
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
	ring_->run(count);
	count = 0;
	for (std::size_t i = 0; i < files.size(); i++) {
		if (ring_->results[i] < 0)
			continue;
		opened[i] = File(ring_->results[i], {});
		const MutableBytes room = files[i].room;
		io_uring_prep_read(ring_->entry(i), opened[i].fd(), room.data(), static_cast<unsigned>(room.size()), 0);
		count++;
	}
	ring_->run(count);
	count = 0;
	for (std::size_t i = 0; i < files.size(); i++) {
		if (!opened[i].is_open())
			continue;
		if (ring_->results[i] >= 0 && static_cast<std::size_t>(ring_->results[i]) == files[i].room.size()) {
			files[i].stat = opened[i].stat();
			files[i].is_read = files[i].stat.type == FileType::regular &&
				files[i].stat.size == files[i].room.size();
		}
		io_uring_prep_close(ring_->entry(i), opened[i].release());
		count++;
	}
	ring_->run(count);
}

} // namespace dig
