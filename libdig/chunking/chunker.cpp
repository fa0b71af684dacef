// Candidates do not depend on where a chunk starts, so the scan could run anywhere; but bytes
// below the minimum cannot hold a cut, and the minimum is half the mean.  Scanning in order, a
// window at a time from the minimum on, touches half the bytes, stops at the first strong
// candidate, and needs no lists: an adversary who makes every position a candidate costs one
// window of them.  At 10 GB/s and half the bytes this serial step costs 0.05 ns a byte, a tenth
// of what hashing costs each worker.
#include "libdig/chunking/chunker.h"

#include <algorithm>
#include <limits>

#include "libdig/base/cursor.h"

namespace dig {

constexpr std::size_t scan_window = 32_KiB;

Buffer ChunkingParameters::encoded() const
{
	Buffer out;
	put_u16(out, gear_table_version);
	for (std::uint64_t value : {small_file_chunk_size, small_file_threshold, medium_file_chunk_size,
		     medium_file_threshold, large_file_chunk_size, huge_file_chunk_size,
		     huge_file_threshold, target})
		put_u64(out, value);
	return out;
}

ChunkingParameters ChunkingParameters::decode(Bytes bytes, std::string_view name)
{
	Cursor cursor(bytes, name);
	if (cursor.u16() != gear_table_version)
		throw Error(quote(name) + " uses a gear table that this version of dig does not know");
	ChunkingParameters p;
	for (std::uint64_t *value : {&p.small_file_chunk_size, &p.small_file_threshold,
		     &p.medium_file_chunk_size, &p.medium_file_threshold, &p.large_file_chunk_size,
		     &p.huge_file_chunk_size, &p.huge_file_threshold, &p.target})
		*value = cursor.u64();
	cursor.expect_end();
	for (std::uint64_t size : {p.small_file_chunk_size, p.medium_file_chunk_size,
		     p.large_file_chunk_size, p.huge_file_chunk_size, p.target ? p.target : 4_KiB})
		if (size < min_chunk_target || size > max_chunk_target)
			cursor.fail("a chunk size is not between 4 KiB and 2 MiB");
	return p;
}

std::uint64_t ChunkingParameters::target_at(std::uint64_t offset) const
{
	if (target)
		return target;
	if (offset < small_file_threshold)
		return small_file_chunk_size;
	if (offset < medium_file_threshold)
		return medium_file_chunk_size;
	if (offset < huge_file_threshold)
		return large_file_chunk_size;
	return huge_file_chunk_size;
}

std::uint64_t ChunkingParameters::target_end(std::uint64_t offset) const
{
	if (!target)
		for (std::uint64_t threshold : {small_file_threshold, medium_file_threshold, huge_file_threshold})
			if (offset < threshold)
				return threshold;
	return std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t ChunkingParameters::largest_chunk() const
{
	return 4 * (target ? target
			   : std::max({small_file_chunk_size, medium_file_chunk_size,
				     large_file_chunk_size, huge_file_chunk_size}));
}

ChunkLimits limits_for_target(std::uint64_t target)
{
	const std::uint64_t strong = (std::uint64_t(1) << 33) / target;
	return {target / 2, target * 4, static_cast<std::uint32_t>(strong),
		static_cast<std::uint32_t>(std::min<std::uint64_t>(16 * strong, 0xffffffff))};
}

Chunker::Chunker(const ChunkingParameters &parameters, std::uint64_t offset)
	: parameters_(parameters), offset_(offset),
	  limits_(limits_for_target(parameters.target_at(offset)))
{
}

std::uint64_t Chunker::zero_chunk_count(std::uint64_t zeros) const
{
	// The last one may end behind the tier that it starts in.
	const std::uint64_t before = parameters_.target_end(offset_) - offset_;
	const std::uint64_t starts = (before - 1) / limits_.maximum + 1;
	return std::min(zeros / limits_.maximum, starts);
}

void Chunker::skip(std::uint64_t size, std::uint64_t count)
{
	offset_ += size * count;
	limits_ = limits_for_target(parameters_.target_at(offset_));
	scanned_ = last_weak_ = 0;
}

std::size_t Chunker::advance(std::size_t size)
{
	skip(size);
	return size;
}

std::size_t Chunker::next(Bytes bytes, bool is_last)
{
	const std::size_t end = std::min<std::size_t>(bytes.size(), limits_.maximum);
	// Position p is a cut after p bytes: the first that may be one is the minimum itself.
	scanned_ = std::max<std::size_t>(scanned_, limits_.minimum - 1);
	while (scanned_ < end) {
		const std::size_t window = std::min(scan_window, end - scanned_);
		candidates_.clear();
		find_candidates(bytes.subspan(scanned_, window), limits_.weak, candidates_);
		for (const Candidate &candidate : candidates_) {
			if (candidate.hash < limits_.strong)
				return advance(scanned_ + candidate.end);
			last_weak_ = scanned_ + candidate.end;
		}
		scanned_ += window;
	}
	// No strong cut up to the maximum.  The last weak one follows the content, and the maximum does
	// not (the backup divisor of TTTD: Eshghi and Tang, HP Labs 2005).
	if (bytes.size() >= limits_.maximum)
		return advance(last_weak_ ? last_weak_ : limits_.maximum);
	if (is_last && !bytes.empty())
		return advance(bytes.size());
	return 0;
}

} // namespace dig
