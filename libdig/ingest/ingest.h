// From files and streams to chunks, their digests, and blocks ready to be stored.
//
//     submit ─► queue ─► claim ─► read ─► cut ─► hash ─► look up ─► compress ─► commit ─► sink
//                          └────────── by any worker ──────────┘                  by the committer
//
// A claim is a segment of a large file or a batch of small files; it is read at once.  A unit is a few
// chunks of a claim, or all of a batch; it is hashed and compressed at once, and given to the sink.  What
// was read lies in one ring until the sink has it, so the ring bounds what is under way.  A worker has no
// buffer of its own: what it needs to compress it borrows from a pool.  So the memory does not grow with
// the number of workers.  There is no queue for chunks and no allocation for each.
#ifndef DIG_INGEST_H
#define DIG_INGEST_H

#include <memory>

#include "libdig/chunking/chunker.h"
#include "libdig/format/settings.h"
#include "libdig/ingest/ingest_sink.h"
#include "libdig/watch/metrics.h"

namespace dig {

class Ingest {
public:
	// Paths lead from root.  root, the sink and work must outlive this.  work counts the bytes, and
	// the time that each step takes.
	Ingest(const Settings &settings, const ChunkingParameters &chunking, const File &root,
		IngestSink &sink, Work &work = unseen_work());
	// Waits for the workers; what was not drained is given up.
	~Ingest();
	Ingest(const Ingest &) = delete;

	// Waits while enough is under way.  Throws what a worker or the sink threw: a failure of the
	// store, or an interruption.  The failure of a source is in its outcome.
	void submit(Source source);
	// Waits until everything submitted was read; what was read may not be stored yet.
	void wait_until_read();
	// Waits until everything submitted went through.
	void drain();
	// The largest content that a source may have in memory.
	std::uint64_t small_limit() const;

private:
	class Worker;
	class Committer;
	class SmallFiles;
	class Segments;
	struct Job;
	struct Claim;
	struct Unit;
	struct Shared;
	std::unique_ptr<Shared> shared_;
};


} // namespace dig

#endif
