// Reads a batch of small files and symbolic links into its room.  For ingest*.cpp alone.
#ifndef DIG_INGEST_BATCH_H
#define DIG_INGEST_BATCH_H

#include "libdig/ingest/ingest_unit.h"
#include "libdig/os/read_batch.h"

namespace dig {

// Bytes that a batch needs; more than 0.
std::size_t room_for(const std::vector<Source> &batch);

class Ingest::SmallFiles {
public:
	// Paths lead from root.  most_open files are open at once.
	SmallFiles(const File &root, std::size_t most_open) : root_(root), together_(root, most_open) {}

	// A piece and an outcome for each source of the batch.  A piece is empty where nothing was taken.
	void take(Claim &claim);

private:
	void read_together(Claim &claim);
	std::size_t read_one(const Source &source, MutableBytes room, SourceOutcome &outcome);

	const File &root_;
	BatchReader together_;
	std::vector<BatchedFile> batched_;
};

} // namespace dig

#endif
