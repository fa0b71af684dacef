// Content on its way out of the store: its chunks are found, read, decoded and verified by several
// threads, which work ahead of the one that takes the bytes.
//
//     chunk list ─► some chunks: find ─► memory ─► read, decode ─► verify ─► take, in order
//                   some chunks: ...
//
// Every byte that is handed out was compared with its chunk's digest.
#ifndef DIG_READ_PIPELINE_H
#define DIG_READ_PIPELINE_H

#include "libdig/store/chunk_reader.h"
#include "libdig/os/read_memory.h"

namespace dig {

// How content is read, as the settings allow.
struct ReadPlan {
	explicit ReadPlan(const Settings &settings);

	std::size_t threads;
	std::size_t memory; // limit of ReadMemory
	// A thread reads chunks of so many bytes at a time, or one chunk that is larger.
	std::uint64_t unit;

	// For how many threads there is room at the same time, about, where chunks have this mean size.
	std::size_t carried(std::uint64_t chunk = 0) const;
};

// Counts for how many threads the memory is enough.
void carry_readers(Work &work, const Settings &settings, std::uint64_t chunk = 0);

class ReadPipeline {
public:
	explicit ReadPipeline(Store &store, Work &work = unseen_work());

	// Hands the extent of the entry's content to take, piece by piece and in order.  take is called
	// from several threads, but never by two at once.  Only blocks that the extent touches are read.
	// Little content is read without starting a thread.  When a chunk cannot be read, all before it
	// was handed out, and the error names the chunk.
	using Take = std::function<void(Bytes)>;
	void read(const Entry &entry, const ByteRange::Extent &extent, const Take &take);

private:
	struct Run;
	void read_little(const Entry &entry, const ByteRange::Extent &extent, const Take &take);

	Store &store_;
	Work &work_;
	ReadPlan plan_;
	std::unique_ptr<ReadMemory> memory_;
};

} // namespace dig

#endif
