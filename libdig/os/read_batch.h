// Many small files at once.  With io_uring a file costs about a third of what it costs with a system
// call for each step (performance of io_uring: Axboe, "Efficient IO with io_uring", 2019).
#ifndef DIG_READ_BATCH_H
#define DIG_READ_BATCH_H

#include <memory>
#include <span>

#include "libdig/os/beneath.h"

namespace dig {

// One regular file to read whole.
struct BatchedFile {
	const std::string *path = nullptr; // below the batch's directory, as open_beneath takes it; null is passed over
	MutableBytes room;                 // as large as the file is said to be
	// Where it was read: what stat says after the last byte.
	bool is_read = false;
	FileStat stat;
};

class BatchReader {
public:
	// most_open files are open at once; with less than two, or where the kernel refuses a ring or stops
	// to serve it, read() does nothing.  The ring is made when two files or more are to be read for the
	// first time.  One thread.
	BatchReader(const File &directory, std::size_t most_open);
	~BatchReader();
	BatchReader(const BatchReader &) = delete;

	// Reads the files that open and fill their rooms without any trouble; the others are left for the
	// caller to read one by one, and to find out what is wrong with them.
	void read(std::span<BatchedFile> files);

private:
	struct Ring;
	void read_some(std::span<BatchedFile> files);

	const File &directory_;
	std::size_t most_open_;
	std::unique_ptr<Ring> ring_;
};

} // namespace dig

#endif
