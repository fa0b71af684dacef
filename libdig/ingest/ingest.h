// From files and streams to chunks, their digests, and blocks ready to be stored.
//
//     submit ─► queue ─► worker: claim a unit ─► read ─► cut ─► hash ─► look up ─► compress ─┐
//                        worker: ...                      │                                  │
//                                          in the order of a file's segments                 │
//                        committer: units in the order they were claimed ─► sink ◄───────────┘
//
// A unit is a segment of a large file or a batch of small files, with the memory for it, which is used
// again.  Each worker takes one unit through all steps and then another one.  The committer waits for
// the storage, so it has a few units that are ready.  There is no queue for chunks and no allocation
// for each, and the number of units bounds the memory.
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
	// Waits until everything submitted went through.
	void drain();

private:
	class Worker;
	class Committer;
	class SmallFiles;
	struct Job;
	struct Unit;
	struct Shared;
	std::unique_ptr<Shared> shared_;
};


} // namespace dig

#endif
