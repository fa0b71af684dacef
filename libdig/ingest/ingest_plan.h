// How the memory that ingest may have is divided, and among how many workers.  For ingest*.cpp and the
// unit tests.
#ifndef DIG_INGEST_PLAN_H
#define DIG_INGEST_PLAN_H

#include "libdig/chunking/chunker.h"
#include "libdig/format/settings.h"

namespace dig {

struct IngestPlan {
	std::size_t workers;     // threads, beside the one that commits
	std::size_t compressors; // that work at the same time
	// Bytes.
	std::size_t room;             // for the results of compressors
	std::size_t shared;           // by the ring and the compressors
	std::size_t ring;             // for what was read and not committed, while nothing is compressed
	std::size_t least_ring_size;  // and while as much as may be is
	std::size_t headroom;         // in front of it
	std::size_t segment;          // of a large file, that a worker reads at once
	std::size_t unit;             // chunks of about this size are hashed and compressed at once
	std::size_t most_hashed;      // units of so many bytes together are hashed at once
	// Of small files, taken by all workers at the same time, or in turns by as many as there are cores.
	struct Batch {
		std::size_t bytes, files;
	} batch, batch_in_turns;
	std::size_t batch_ring;       // the part of the ring that they use
	std::size_t most_batches;     // under way
	std::size_t most_batch_files; // and in all of them
	std::uint64_t small_limit;    // files up to this size are read in batches

	// A segment behind a chunk of this size needs a ring as large as this, so that there is room for it
	// whatever the lap; a hole, or what follows one, needs more.
	std::size_t least_ring(std::uint64_t chunk) const { return 2 * chunk + 2 * segment; }
	std::size_t least_ring_at_hole(std::uint64_t chunk) const { return 3 * chunk + 2 * segment; }

	std::size_t most_compressing; // workers of which some compress and others do not
	// For how many workers there is room at the same time, about: for batches and, if there is a target, for
	// large files with such chunks.  At least 1, at most all.
	std::size_t carried(std::uint64_t target) const;
};

IngestPlan plan_ingest(const Settings &settings, const ChunkingParameters &chunking, bool stores_content);

} // namespace dig

#endif
