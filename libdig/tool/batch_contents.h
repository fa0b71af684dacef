// Small content of many requests, read together.
//
//     in the order of requests:   |   part 1   |   part 2   |   part 3   |
//     in the order of paths:      | kept: read with part 1, for all parts | the others: with their part |
//
// Files that were added together lie in the same blocks, and a block has to be decoded as a whole.
// So content is read in the order of paths: a block is decoded once for all requests that want some of
// it.  Replies go out in the order of requests.  What fits into memory together is one part.  If there is
// more, requests in random order want some of nearly every block in each part.  Then as much as possible
// of the content is read once and kept until its part comes, and only the rest is decoded part by part.
#ifndef DIG_BATCH_CONTENTS_H
#define DIG_BATCH_CONTENTS_H

#include "libdig/gateway/served_content.h"
#include "libdig/os/arena.h"
#include "libdig/tool/batch_request.h"

namespace dig {

class BatchContents {
public:
	// All must outlive it.
	BatchContents(Store &store, KeptNodes &nodes, Work &work, std::size_t threads);

	// Requests that are to be read part by part.  They stay the caller's, and must stay where they are.  None
	// wants more than small content.  Their ranks differ.
	void begin(std::span<BatchRequest> requests);
	// Reads the next part, so that its requests have bytes or failure, and returns the end of it.  Bytes of
	// the parts before it are gone.
	std::size_t read_part();
	// No bytes are needed any more.  Memory is kept for the next requests, if it is likely to be there then.
	void end();
	void free_memory();
	// To be called when the store has changed.
	void forget_places() { content_.forget_places(); }

private:
	// Memory that threads take, one piece behind the other.
	class Room {
	public:
		// From now on all of it is free, and is to be enough for size bytes.
		void begin(std::size_t size);
		void clear();
		// Any thread.
		MutableBytes take(std::size_t size);
		// What it holds of the memory of the process, at most.
		std::size_t touched() const { return touched_; }

	private:
		std::mutex mutex_;
		std::vector<Arena> arenas_; // one, as long as nothing is larger than it says
		std::size_t used_ = 0;      // of the last one
		std::size_t size_ = 0, touched_ = 0; // that is wanted, and that was taken at a time
	};
	// What one thread reads small chunks with.
	struct Lane {
		Lane(Store &store, ChunkCache &none, Work &work) : reader(store, none, work) { reader.keep_no_blocks(); }
		ChunkReader reader;
		std::vector<WantedChunk> wanted;
		Buffer scratch;
	};
	// Chunks that follow each other in chunks_.
	struct Piece {
		std::size_t first, end;
		bool is_kept;
	};

	bool is_kept(const BatchRequest &request) const { return request.is_one_chunk() && request.rank < kept_ranks_; }
	std::uint64_t own_memory() const { return kept_.touched() + part_.touched() + memory_.size(); }
	std::uint64_t other_memory() const;
	std::uint64_t room() const;
	void sort_chunks();
	void keep_what_fits(std::uint64_t size);
	std::size_t part_end() const;
	void add_pieces(std::size_t first, bool are_kept);
	void read_chunks();
	void read_piece(Lane &lane, const Piece &piece);
	void prepare_others(std::size_t first, std::size_t end);
	void read_others();

	Work &work_;
	ServedContent content_;
	std::size_t threads_;
	std::uint64_t limit_; // of the process
	std::uint64_t other_memory_ = 0; // at the last end()
	ChunkCache no_blocks_{0};
	std::vector<std::unique_ptr<Lane>> lanes_;
	Room kept_, part_;

	std::span<BatchRequest> requests_;
	std::size_t next_ = 0;
	std::uint64_t share_ = 0;      // bytes of one part
	std::uint32_t kept_ranks_ = 0; // chunks of lower ranks are kept
	std::size_t kept_count_ = 0;   // of sorted_
	std::vector<std::uint64_t> sorted_; // requests for one small chunk: rank, number
	std::vector<std::uint32_t> chunks_; // of what is read now, in order
	std::vector<Piece> pieces_;
	std::vector<std::uint32_t> others_; // of a part
	Buffer memory_; // of others
};

} // namespace dig

#endif
