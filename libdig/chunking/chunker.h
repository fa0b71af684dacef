// Cuts content into chunks by the rules of dig-chunking(7): tiers, minimum, maximum, regression.
// It does no I/O.  The caller shows it the bytes since the last cut, and it returns where the next
// cut is, or that it needs more bytes.
#ifndef DIG_CHUNKER_H
#define DIG_CHUNKER_H

#include "libdig/base/digest.h"
#include "libdig/chunking/gear.h"

namespace dig {

// The format's limit for a chunk.  No item that is read into memory as a whole is larger.
constexpr std::uint64_t max_chunk_size = 16_MiB;
constexpr std::uint64_t min_chunk_target = 4_KiB, max_chunk_target = 2_MiB;

// The parameters that a store gets when it is made, and keeps.  Sizes are bytes.
struct ChunkingParameters {
	std::uint64_t small_file_chunk_size = 256_KiB;
	std::uint64_t small_file_threshold = 1_MiB;
	std::uint64_t medium_file_chunk_size = 1_MiB;
	std::uint64_t medium_file_threshold = 100_MiB;
	std::uint64_t large_file_chunk_size = 512_KiB;
	std::uint64_t huge_file_chunk_size = 2_MiB;
	std::uint64_t huge_file_threshold = 1_GiB;
	std::uint64_t target = 0; // one size for all offsets; 0 for the tiers

	bool operator==(const ChunkingParameters &) const = default;

	// 66 bytes, as in .dig/format.
	Buffer encoded() const;
	static ChunkingParameters decode(Bytes bytes, std::string_view name);
	// The digest that stands in layer headers.
	Digest digest() const { return digest_of(encoded()); }

	std::uint64_t target_at(std::uint64_t offset) const;
	// The end of the tier of offset: chunks that start in between have the same target.
	std::uint64_t target_end(std::uint64_t offset) const;
	// The largest maximum of all tiers, which a buffer must be able to hold.
	std::uint64_t largest_chunk() const;
	// Content of at most this size is one chunk, and is not scanned.
	std::uint64_t single_chunk_size() const { return target_at(0) / 2; }
};
constexpr std::size_t encoded_parameters_size = 66;

struct ChunkLimits {
	std::uint64_t minimum, maximum;
	std::uint32_t strong, weak; // hash thresholds
};
ChunkLimits limits_for_target(std::uint64_t target);

class Chunker {
public:
	explicit Chunker(const ChunkingParameters &parameters, std::uint64_t offset = 0);

	// The offset at which the current chunk starts.
	std::uint64_t offset() const { return offset_; }
	const ChunkLimits &limits() const { return limits_; }

	// bytes are all known bytes from offset() on; a later call for the same chunk has the same
	// bytes and more.  is_last tells that the content ends with them.  Returns the size of the
	// next chunk and moves behind it, or 0 if more bytes are needed or none are left.  The cuts
	// do not depend on how the content is divided among calls.  Each byte behind the minimum is
	// scanned once.
	std::size_t next(Bytes bytes, bool is_last);

	// Moves over a chunk that the caller knows, such as a chunk of zeros, or over count of
	// them.
	void skip(std::uint64_t size, std::uint64_t count = 1);

	// The size of the next chunk if only zeros follow, without an end.
	std::uint64_t zero_chunk_size() const { return limits_.maximum; }
	// How many chunks of this size come first if this many zeros follow.
	std::uint64_t zero_chunk_count(std::uint64_t zeros) const;

private:
	std::size_t advance(std::size_t size);

	ChunkingParameters parameters_;
	std::uint64_t offset_;
	ChunkLimits limits_;
	std::size_t scanned_ = 0;   // bytes of the current chunk that were looked at
	std::size_t last_weak_ = 0; // the last weak cut among them, 0 for none
	std::vector<Candidate> candidates_;
};

} // namespace dig

#endif
