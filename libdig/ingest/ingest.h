// From files and streams to chunks, their digests, and blocks ready to be stored.
//
//     submit ─► queue ─► worker: claim a unit ─► read ─► cut ─► hash ─► look up ─► compress ─┐
//                        worker: ...                      │                                  │
//                                          in the order of a file's segments                 │
//                        committer: units in the order they were claimed ─► hooks ◄──────────┘
//
// A unit is a segment of a large file or a batch of small ones, and the memory for it, which is used
// again.  Each worker takes a unit through all steps and then another one, while the committer, which
// waits for the storage, has a few that are ready.  There is no queue per chunk and no allocation per
// byte, and what is in memory is bounded by the number of units.
#ifndef DIG_INGEST_H
#define DIG_INGEST_H

#include <functional>
#include <memory>
#include <optional>

#include "libdig/chunking/chunker.h"
#include "libdig/format/settings.h"
#include "libdig/os/beneath.h"
#include "libdig/staging/index_record.h"
#include "libdig/staging/staging.h"
#include "libdig/watch/metrics.h"

namespace dig {

// A chunk, or several equal ones in a row, as in a hole.
struct ChunkRef {
	std::uint64_t offset; // of the first
	std::uint64_t size;   // of each
	Digest id;
	std::uint64_t count = 1;

	std::uint64_t end() const { return offset + size * count; }
};

// Something to be taken: a path below the root directory, or an open stream.
struct Source {
	std::string path;
	EntryKind kind = EntryKind::file; // or symlink
	std::optional<FileStat> stat;     // as whoever found it saw it; of a stream, mode and time
	bool has_mtime = true;            // of a stream
	// Of a stream: what is read is passed on after so much, or so long, even if more could come
	// soon; 0 for never.
	std::uint64_t checkpoint_bytes = 0;
	std::int64_t checkpoint_ns = 0;
	std::shared_ptr<File> stream;     // of unknown size; else path is opened
	std::shared_ptr<File> opened;     // path, if it is open already
	std::uint64_t resume_offset = 0;  // cut and stored before
	std::int64_t read_began_ns = 0;   // of what was taken before; else set when it is opened
	int attempt = 0;
	bool takes_changing = false;      // what is read is taken, even if the file changes meanwhile
	// For the hooks.
	std::optional<IndexRecord> previous;
	std::shared_ptr<TreeBuilder> tree;
	std::uint64_t checkpointed = 0;
	Digest last_chunk;
	bool has_new = false; // chunks that were nowhere
};

struct SourceOutcome {
	FileStat stat;                  // after reading
	std::int64_t read_began_ns = 0; // before the first byte
	std::string error;              // empty when it was taken
	bool has_changed = false;       // while it was read; it may be submitted again
	bool is_mixed = false;          // it has changed, and was to be taken all the same
	std::optional<Digest> digest;   // of the whole content, where core.file_digest asks for it
};

struct IngestHooks {
	// True when the chunk has to be stored.  Null: nothing is stored.  Any worker.
	std::function<bool(const Digest &, Bytes)> claim;
	// The rest is called in the order of submission, by one thread at a time.
	std::function<void(Source &, std::span<const ChunkRef>)> chunks;
	std::function<void(Source &, const SourceOutcome &)> finished;
	// After the hooks of a unit: what it has to store.  The payloads end with the call.
	std::function<void(std::span<const ReadyBlock>)> store;
	Work *work = &unseen_work(); // where it is counted, and who took how long
};

class Ingest {
public:
	// root is where paths lead from; it and the hooks must live until drain() has returned.
	Ingest(const Settings &settings, const ChunkingParameters &chunking, const File &root,
		IngestHooks hooks);
	// Waits for the workers; what was not drained is given up.
	~Ingest();
	Ingest(const Ingest &) = delete;

	// Waits while enough is under way.  Throws what a worker threw: store-side failures and
	// interruptions; those of a source are told to finished().
	void submit(Source source);
	// Waits until everything submitted went through.
	void drain();

	std::size_t worker_count() const;

private:
	class Worker;
	class Committer;
	struct Job;
	struct Unit;
	struct Shared;
	std::unique_ptr<Shared> shared_;
};

// The digest of a chunk of zeros; computed once a size.
Digest zero_chunk_digest(std::uint64_t size);

} // namespace dig

#endif
