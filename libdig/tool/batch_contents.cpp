// Of n parts, with K bytes kept and R others, the parts need K + R / n bytes at a time, and K is as large as
// that allows: 77 MiB in random order and room for 64 MiB are 51 MiB kept and twice 13 MiB.  A third of
// the blocks is decoded twice then, and not all of them.
//
// Threads take pieces of the order of paths.  A block on the border of two pieces is decoded for both, so
// a piece has many blocks.
#include "libdig/tool/batch_contents.h"

#include <algorithm>

#include "libdig/os/machine.h"
#include "libdig/os/read_memory.h"
#include "libdig/os/workers.h"

namespace dig {

// For small content that is read together, as far as the settings allow.  How much that is depends on what
// else the process holds, which is known when the names are found: the more of the store is asked for, the
// more of its nodes and of its indexes is kept, up to 40 MiB.  These may grow a little while content is read.
constexpr std::uint64_t most_memory = 62_MiB, least_memory = 4_MiB, growth = 10_MiB, least_growth = 1_MiB;
constexpr std::uint64_t most_budget = 80_MiB, program = 12_MiB; // which memory_budget() does not count
constexpr std::size_t most_lanes = 4;    // each has memory for a block
constexpr std::size_t least_contents = 16, many_contents = 512; // what a thread takes at once
constexpr ServedContent::Limits content_limits{.blocks = 4_MiB, .block_file = 1_GiB, .windows = 4_MiB};

// --- memory ---------------------------------------------------------------------------------

void BatchContents::Room::begin(std::size_t size)
{
	size_ = std::max(size, least_memory);
	used_ = 0;
	// What was touched takes memory, wherever others need it now.
	if (arenas_.size() > 1 || touched_ > size_ + least_memory || (!arenas_.empty() && arenas_[0].size() < size_))
		clear();
}

void BatchContents::Room::clear()
{
	arenas_.clear();
	touched_ = used_ = 0;
}

MutableBytes BatchContents::Room::take(std::size_t size)
{
	std::lock_guard guard(mutex_);
	if (arenas_.empty() || arenas_.back().size() - used_ < size) {
		arenas_.emplace_back(std::max(size, size_ + size_ / 8));
		used_ = 0;
	}
	const MutableBytes bytes = arenas_.back().bytes().subspan(used_, size);
	used_ += size;
	touched_ = std::max(touched_, used_);
	return bytes;
}

BatchContents::BatchContents(Store &store, KeptNodes &nodes, Work &work, std::size_t threads)
	: work_(work), content_(store, nodes, content_limits), threads_(threads)
{
	limit_ = std::min<std::uint64_t>(memory_budget(store.settings()), most_budget) + program;
	for (std::size_t i = 0; i < std::min(threads, most_lanes); i++)
		lanes_.push_back(std::make_unique<Lane>(store, no_blocks_, work));
}

void BatchContents::free_memory()
{
	kept_.clear();
	part_.clear();
	memory_ = Buffer();
}

// --- parts ----------------------------------------------------------------------------------

static std::uint64_t memory_of(const BatchRequest &request)
{
	if (!request.wants_bytes() || request.extent.size == 0)
		return 0;
	return request.is_one_chunk() ? aligned(request.size) : request.extent.size;
}

std::uint64_t BatchContents::other_memory() const
{
	const std::uint64_t all = resident_memory(), own = own_memory();
	return all > own ? all - own : 0;
}

std::uint64_t BatchContents::room() const
{
	const std::uint64_t others = other_memory() + growth;
	return std::clamp<std::uint64_t>(limit_ > others ? limit_ - others : 0, least_memory, most_memory);
}

// What else the process holds grows most while the names of the next requests are looked up.
void BatchContents::end()
{
	if (own_memory() <= growth)
		return;
	const std::uint64_t before = std::exchange(other_memory_, other_memory());
	if (other_memory_ > before + least_growth)
		free_memory();
}

void BatchContents::sort_chunks()
{
	sorted_.clear();
	for (std::size_t i = 0; i < requests_.size(); i++)
		if (memory_of(requests_[i]) > 0 && requests_[i].is_one_chunk())
			sorted_.push_back(std::uint64_t{requests_[i].rank} << 32 | i);
	std::sort(sorted_.begin(), sorted_.end());
}

void BatchContents::keep_what_fits(std::uint64_t size)
{
	kept_count_ = 0;
	for (std::uint64_t kept = 0; kept_count_ < sorted_.size(); kept_count_++) {
		kept += memory_of(requests_[static_cast<std::uint32_t>(sorted_[kept_count_])]);
		if (kept > size)
			break;
	}
	kept_ranks_ = kept_count_ < sorted_.size() ? static_cast<std::uint32_t>(sorted_[kept_count_] >> 32) : UINT32_MAX;
}

void BatchContents::begin(std::span<BatchRequest> requests)
{
	requests_ = requests;
	next_ = 0;
	sort_chunks();
	std::uint64_t total = 0, kept = 0;
	for (const BatchRequest &request : requests)
		total += memory_of(request);
	const std::uint64_t most = total > least_memory ? room() : least_memory;
	const std::uint64_t parts = total / (most + 1) + 1;
	keep_what_fits(parts == 1 ? total : (parts * most - total) / (parts - 1));
	for (const BatchRequest &request : requests)
		if (is_kept(request))
			kept += memory_of(request);
	// The parts are about equal: a small rest would decode nearly as many blocks as a large part.
	share_ = (total - kept) / parts + BatchRequest::small_content;
	kept_.begin(kept);
	memory_ = Buffer();
}

std::size_t BatchContents::part_end() const
{
	std::uint64_t size = 0;
	std::size_t end = next_;
	for (; end < requests_.size(); end++) {
		const std::uint64_t more = is_kept(requests_[end]) ? 0 : memory_of(requests_[end]);
		if (size > 0 && more > 0 && size + more > share_)
			break;
		size += more;
	}
	return end;
}

std::size_t BatchContents::read_part()
{
	const std::size_t first = next_;
	next_ = part_end();
	StepClock clock(work_);
	prepare_others(first, next_);
	chunks_.clear();
	pieces_.clear();
	const auto add = [&](std::uint64_t sorted) { chunks_.push_back(static_cast<std::uint32_t>(sorted)); };
	if (first == 0) {
		std::for_each_n(sorted_.begin(), kept_count_, add);
		add_pieces(0, true);
	}
	const std::size_t kept = chunks_.size();
	for (std::size_t i = kept_count_; i < sorted_.size(); i++)
		if (const auto number = static_cast<std::uint32_t>(sorted_[i]); number >= first && number < next_)
			add(sorted_[i]);
	add_pieces(kept, false);
	read_chunks();
	read_others();
	clock.lap(Step::read);
	return next_;
}

// --- small chunks ---------------------------------------------------------------------------

// Of the chunks from first on.
void BatchContents::add_pieces(std::size_t first, bool are_kept)
{
	const std::size_t count = chunks_.size() - first, lanes = lanes_.size();
	const std::size_t piece = std::max(least_contents,
		std::max(count / (4 * lanes), std::min(many_contents, (count + lanes - 1) / lanes)));
	for (std::size_t from = first; from < chunks_.size(); from += piece)
		pieces_.push_back({from, std::min(from + piece, chunks_.size()), are_kept});
}

void BatchContents::read_chunks()
{
	std::atomic<std::size_t> next_lane{0}, next_piece{0};
	in_parts(lanes_.size(), std::min(pieces_.size(), lanes_.size()), 1, [&](std::size_t, std::size_t) {
		Lane &lane = *lanes_[next_lane++];
		for (std::size_t i; (i = next_piece++) < pieces_.size();) {
			check_interrupted();
			read_piece(lane, pieces_[i]);
		}
	});
}

void BatchContents::read_piece(Lane &lane, const Piece &piece)
{
	const auto numbers = std::span(chunks_).subspan(piece.first, piece.end - piece.first);
	lane.wanted.clear();
	for (const std::uint32_t number : numbers)
		lane.wanted.emplace_back().chunk = {requests_[number].content, requests_[number].size, 0};
	Room &room = piece.is_kept ? kept_ : part_;
	const std::size_t size = lane.reader.locate(lane.wanted), scratch = lane.reader.scratch_size();
	if (lane.scratch.size() < scratch || lane.scratch.size() > std::max(scratch, least_memory))
		lane.scratch = Buffer();
	lane.scratch.resize(std::max(lane.scratch.size(), scratch));
	lane.reader.read(lane.wanted, room.take(size - scratch), lane.scratch);
	for (std::size_t i = 0; i < numbers.size(); i++) {
		const WantedChunk &wanted = lane.wanted[i];
		BatchRequest &request = requests_[numbers[i]];
		if (wanted.has_failed())
			request.failure = std::make_unique<Error>(wanted.failure, wanted.status);
		else
			request.bytes = wanted.bytes.subspan(request.extent.offset, request.extent.size);
	}
}

// --- other content --------------------------------------------------------------------------

// What the part before was read into does not stay beside what this one needs.
void BatchContents::prepare_others(std::size_t first, std::size_t end)
{
	others_.clear();
	std::size_t size = 0;
	for (std::size_t i = first; i < end; i++) {
		if (memory_of(requests_[i]) == 0 || requests_[i].is_one_chunk())
			continue;
		others_.push_back(static_cast<std::uint32_t>(i));
		size += requests_[i].extent.size;
	}
	if (size > least_memory)
		part_.clear();
	part_.begin(share_);
	if (memory_.size() < size || memory_.size() > std::max(size, least_memory))
		memory_ = Buffer();
	memory_.resize(std::max(memory_.size(), size));
	std::size_t at = 0;
	for (const std::uint32_t number : others_) {
		BatchRequest &request = requests_[number];
		request.bytes = Bytes(memory_).subspan(at, request.extent.size);
		at += request.extent.size;
	}
}

void BatchContents::read_others()
{
	const std::size_t part = std::max(least_contents, (others_.size() + 2 * threads_ - 1) / (2 * threads_));
	in_parts(threads_, others_.size(), part, [&](std::size_t from, std::size_t to) {
		for (std::size_t i = from; i < to; i++) {
			check_interrupted();
			BatchRequest &request = requests_[others_[i]];
			const MutableBytes bytes(memory_.data() + (request.bytes.data() - memory_.data()), request.bytes.size());
			try {
				content_.read(request.entry(), request.extent, bytes);
			} catch (const Error &error) {
				request.failure = std::make_unique<Error>(error);
			}
		}
	});
}

} // namespace dig
