// Pieces of content become the blocks of a pack: a large one has a block of its own, small ones
// share a block, so that alike files are compressed together.
#ifndef DIG_BLOCK_BUILDER_H
#define DIG_BLOCK_BUILDER_H

#include <span>
#include <vector>

#include "libdig/format/settings.h"
#include "libdig/ingest/compressor_pool.h"
#include "libdig/staging/staging.h"

namespace dig {

// What was cut and hashed.
struct Piece {
	MutableBytes bytes; // empty for a chunk of a hole, which lies in no memory
	std::uint64_t size;
	Digest id;
	std::uint64_t count = 1; // equal ones in a row, as in a hole
	bool is_new = false;     // claimed: it has to be stored
};

class BlockBuilder {
public:
	// Pieces of less than 64 KiB, or of at most small_limit, share blocks.  pool must outlive this.
	BlockBuilder(const Settings &settings, CompressorPool &pool, std::uint64_t small_limit);

	// Appends blocks for the pieces to blocks, in the order of the pieces.  The payloads lie in the
	// memory of the pieces, which are moved and overwritten; only those of holes lie in apart.  Waits
	// for the pool.  With less effort, core.compression = "auto" takes less time.
	void build(std::span<Piece *const> pieces, Effort effort, std::vector<ReadyBlock> &blocks,
		std::vector<Buffer> &apart);

	bool is_small(std::uint64_t size) const;

private:
	std::size_t add_solid(std::span<Piece *const> pieces, std::uint64_t target);
	void add(MutableBytes raw, std::span<Piece *const> pieces);
	void add_zeros(Piece &piece);
	void compress(MutableBytes raw, ReadyBlock &block);

	CompressorPool &pool_;
	bool may_vary_effort_;
	std::uint64_t threshold_, small_limit_;
	// Of the call that is under way.
	Effort effort_ = Effort::usual;
	std::vector<ReadyBlock> *blocks_ = nullptr;
	std::vector<Buffer> *apart_ = nullptr;
};

} // namespace dig

#endif
