// The lists are sequences, and node boundaries follow their content: behind an edit the nodes are
// the same again, and equal subtrees are passed over wherever they lie.  Where the lists differ, there
// is a gap.  A window of chunks of each side is searched for the place where the lists go on together:
// at the same offset if there is one, else as far apart as before the gap, else the nearest.
//
// Of what is equal, all that stands at another offset is moved.  Each new chunk of a gap is then looked
// for, first at its own offset of the old file, then among the old chunks of all gaps.  These can lie
// behind it.  So the parts of the new file are kept until both lists are through; if they are too many,
// the lists are walked a second time.
//
// Zeros are not compared by chunks.  Within a hole, chunks of zeros have the same size, and where they
// begin depends on what stands before the hole; an edit in the middle of a hole would seem to move the
// rest of it.  So the lists never meet at zeros.  A run of chunks of zeros is one piece, and those of
// its bytes are replaced at whose offsets the old file has no chunk of zeros.  The chunk behind a hole
// begins with zeros of it, and where it begins depends on the chunks of zeros before it.  So there, and
// only there, content is compared.
#include "libdig/format/range_diff.h"

#include <algorithm>
#include <unordered_map>

#include "libdig/base/zeros.h"

namespace dig {

namespace {

// Pieces of each side that are compared at once.  It bounds memory and time.
constexpr std::size_t window_size = 1024;
constexpr std::size_t most_parts = 65536;
constexpr std::size_t most_old_chunks = 65536;

// Which chunks are zeros: those of the size that chunks in a hole have, and the last of a file.
class ZeroChunks {
public:
	explicit ZeroChunks(const ChunkingParameters &parameters)
	{
		for (std::uint64_t offset = 0;; offset = parameters.target_end(offset)) {
			sizes_.emplace_back(limits_for_target(parameters.target_at(offset)).maximum, std::nullopt);
			if (parameters.target_end(offset) == ~std::uint64_t(0))
				break;
		}
	}

	bool has(const TreeCursor &at)
	{
		const std::uint64_t size = at.chunk_size();
		for (auto &[zeros, digest] : sizes_)
			if (zeros == size)
				return at.chunk_id() == (digest ? *digest : digest.emplace(digest_of(zero_bytes(size))));
		return at.offset() + size == at.total_bytes() && size <= most_zeros &&
			at.chunk_id() == digest_of(zero_bytes(size));
	}

private:
	std::vector<std::pair<std::uint64_t, std::optional<Digest>>> sizes_;
};

// A chunk, or chunks of zeros that follow each other.
struct Piece {
	Digest id;
	std::uint64_t offset, size;
	bool is_zeros;

	std::uint64_t end() const { return offset + size; }
};
using Window = std::vector<Piece>;

// Of the new file.
struct Part {
	enum class Kind : std::uint8_t { chunk, zeros, moved };
	Kind kind;
	Digest id;
	std::uint64_t offset, size;
	std::uint64_t old_offset = 0; // of what has moved
};

// Walks both lists.
class Alignment {
public:
	Alignment(const TreeRoot &before, const TreeRoot &after, const NodeSource &source, ZeroChunks &zeros)
		: a_(TreeKind::chunk_list, before, source), b_(TreeKind::chunk_list, after, source), zeros_(zeros)
	{
	}

	// Before run(): at the beginning of the old list.
	const TreeCursor &before() const { return a_; }
	std::uint64_t new_size() const { return b_.total_bytes(); }

	// part gets what is not the same at the same offset, in order; old gets the old chunks in gaps.
	void run(const std::function<void(const Part &)> &part, const std::function<void(const Piece &)> &old)
	{
		part_ = &part;
		old_ = &old;
		for (;;) {
			const std::uint64_t offset = a_.offset(), new_offset = b_.offset();
			skip_equal(a_, b_);
			if (offset != new_offset && a_.offset() > offset)
				part({Part::Kind::moved, {}, new_offset, a_.offset() - offset, offset});
			if (a_.at_end() && b_.at_end())
				return;
			pass_gap();
		}
	}

private:
	Piece next_piece(TreeCursor &cursor) const
	{
		Piece piece{cursor.chunk_id(), cursor.offset(), cursor.chunk_size(), zeros_.has(cursor)};
		if (!piece.is_zeros) {
			cursor.skip();
			return piece;
		}
		do {
			cursor.skip_run();
			piece.size = cursor.offset() - piece.offset;
			cursor.settle();
		} while (!cursor.at_end() && zeros_.has(cursor));
		return piece;
	}

	Window window_at(TreeCursor cursor) const
	{
		Window window;
		for (cursor.settle(); !cursor.at_end() && window.size() < window_size; cursor.settle())
			window.push_back(next_piece(cursor));
		return window;
	}

	// The first piece that both have, so far apart.
	static std::optional<std::pair<std::size_t, std::size_t>> meeting_at(std::uint64_t distance, const Window &left,
		const Window &right)
	{
		for (std::size_t i = 0, j = 0; i < left.size() && j < right.size();) {
			const auto difference = static_cast<std::int64_t>(left[i].offset + distance - right[j].offset);
			if (difference == 0 && left[i].id == right[j].id && !left[i].is_zeros && !right[j].is_zeros)
				return std::pair(i, j);
			i += difference <= 0;
			j += difference >= 0;
		}
		return {};
	}

	static std::optional<std::pair<std::size_t, std::size_t>> nearest_meeting(const Window &left, const Window &right)
	{
		std::unordered_map<Digest, std::size_t, DigestHash> places;
		for (std::size_t i = 0; i < left.size(); i++)
			if (!left[i].is_zeros)
				places.emplace(left[i].id, i);
		std::optional<std::pair<std::size_t, std::size_t>> best;
		for (std::size_t j = 0; j < right.size() && (!best || j < best->first + best->second); j++) {
			const auto place = right[j].is_zeros ? places.end() : places.find(right[j].id);
			if (place != places.end() && (!best || place->second + j < best->first + best->second))
				best = std::pair(place->second, j);
		}
		return best;
	}

	void take_old(const Piece &piece)
	{
		if (!piece.is_zeros)
			(*old_)(piece);
		a_.seek_offset(piece.end());
	}

	void take_new(const Piece &piece)
	{
		(*part_)({piece.is_zeros ? Part::Kind::zeros : Part::Kind::chunk, piece.id, piece.offset, piece.size});
		b_.seek_offset(piece.end());
	}

	// Until both stand before the same chunk, or at their ends.
	void pass_gap()
	{
		const std::uint64_t distance = b_.offset() - a_.offset();
		while (!a_.at_end() && !b_.at_end()) {
			const Window left = window_at(a_), right = window_at(b_);
			auto meeting = meeting_at(0, left, right);
			if (!meeting)
				meeting = meeting_at(distance, left, right);
			if (!meeting)
				meeting = nearest_meeting(left, right);
			if (meeting) {
				std::for_each_n(left.begin(), meeting->first, [&](const Piece &piece) { take_old(piece); });
				std::for_each_n(right.begin(), meeting->second, [&](const Piece &piece) { take_new(piece); });
				return;
			}
			pass_windows(distance, left, right);
		}
		for (a_.settle(); !a_.at_end(); a_.settle()) {
			TreeCursor ahead = a_;
			take_old(next_piece(ahead));
		}
		for (b_.settle(); !b_.at_end(); b_.settle()) {
			TreeCursor ahead = b_;
			take_new(next_piece(ahead));
		}
	}

	// Both sides go on together, as far apart as before, so that what is equal at the same offset behind
	// a long gap comes into both windows at once.
	void pass_windows(std::uint64_t distance, const Window &left, const Window &right)
	{
		const auto ahead = static_cast<std::int64_t>(left.back().end() + distance - right.back().end());
		const std::uint64_t end = ahead < 0 ? left.back().end() + distance : right.back().end();
		for (const Piece &piece : left)
			if (static_cast<std::int64_t>(piece.end() + distance - end) <= 0)
				take_old(piece);
		for (const Piece &piece : right)
			if (static_cast<std::int64_t>(piece.end() - end) <= 0)
				take_new(piece);
	}

	TreeCursor a_, b_;
	ZeroChunks &zeros_;
	const std::function<void(const Part &)> *part_ = nullptr;
	const std::function<void(const Piece &)> *old_ = nullptr;
};

// The old chunks of gaps, by digest.
class OldChunks {
public:
	void add(const Piece &piece)
	{
		if (chunks_.size() == most_old_chunks)
			return;
		numbers_.emplace(piece.id, chunks_.size());
		chunks_.push_back(piece);
	}

	// Of several that are equal, the one behind the last one found, so that ranges join.
	std::optional<std::uint64_t> find(const Digest &id, std::uint64_t size)
	{
		if (next_ >= chunks_.size() || chunks_[next_].id != id || chunks_[next_].size != size) {
			const auto found = numbers_.find(id);
			if (found == numbers_.end() || chunks_[found->second].size != size)
				return {};
			next_ = found->second;
		}
		return chunks_[next_++].offset;
	}

private:
	std::vector<Piece> chunks_;
	std::unordered_map<Digest, std::size_t, DigestHash> numbers_;
	std::size_t next_ = 0;
};

// Parts become ranges.
class Ranges {
public:
	Ranges(TreeCursor before, ZeroChunks &zeros, OldChunks &old, std::uint64_t new_size, const ChunkContent &content,
		const std::function<void(const ChangedRange &)> &found)
		: before_(std::move(before)), zeros_(zeros), old_(old), new_size_(new_size), content_(content), found_(found)
	{
	}

	void take(const Part &part)
	{
		if (part.kind == Part::Kind::moved)
			move(part.old_offset, part.offset, part.size);
		else if (part.kind == Part::Kind::zeros)
			take_zeros(part.offset, part.offset + part.size);
		else if (!is_in_place(part) && !(part.offset == end_of_zeros_ && has_old_bytes(part)))
			take_chunk(part);
	}

	void finish()
	{
		const std::uint64_t old_size = before_.total_bytes();
		if (has_pending_ && pending_.kind == ChangedRange::Kind::replaced) {
			const std::uint64_t end = pending_.new_offset + pending_.new_size;
			if (end == new_size_ && old_size > end) {
				pending_.size = old_size - pending_.offset;
				pass_on();
				return;
			}
		}
		pass_on();
		if (old_size > new_size_)
			found_({new_size_, old_size - new_size_, new_size_, 0, ChangedRange::Kind::replaced});
	}

private:
	bool is_in_place(const Part &part)
	{
		before_.seek_offset(part.offset);
		return !before_.at_end() && before_.offset() == part.offset && before_.chunk_size() == part.size &&
			before_.chunk_id() == part.id;
	}

	// A chunk that begins with the last zeros of a hole, and now at another offset.
	bool has_old_bytes(const Part &part) const
	{
		const std::optional<Buffer> bytes = content_(part.id);
		if (!bytes || bytes->size() != part.size)
			return false;
		TreeCursor at = before_;
		for (std::uint64_t done = 0; done < part.size;) {
			at.seek_offset(part.offset + done);
			if (at.at_end())
				return false;
			const std::uint64_t skipped = part.offset + done - at.offset();
			const Bytes piece = Bytes(*bytes).subspan(done, std::min(at.chunk_size() - skipped, part.size - done));
			if (!has_bytes(at, skipped, piece))
				return false;
			done += piece.size();
		}
		return true;
	}

	bool has_bytes(const TreeCursor &at, std::uint64_t from, Bytes bytes) const
	{
		if (zeros_.has(at))
			return is_zero(bytes);
		const std::optional<Buffer> chunk = content_(at.chunk_id());
		return chunk && chunk->size() == at.chunk_size() &&
			std::ranges::equal(Bytes(*chunk).subspan(from, bytes.size()), bytes);
	}

	void take_chunk(const Part &part)
	{
		if (const std::optional<std::uint64_t> offset = old_.find(part.id, part.size))
			move(*offset, part.offset, part.size);
		else
			replace(part.offset, part.size);
	}

	void take_zeros(std::uint64_t at, std::uint64_t end)
	{
		end_of_zeros_ = end;
		// Of old chunks, only those are read that may be the border of a hole.
		for (bool is_at_border = true; at < end;) {
			before_.seek_offset(at);
			if (before_.at_end()) {
				replace(at, end - at);
				return;
			}
			if (zeros_.has(before_)) {
				const std::uint64_t count = (end - before_.offset()) / before_.chunk_size();
				if (count == 0)
					return;
				before_.skip_run(count);
				at = before_.offset();
				is_at_border = true;
			} else {
				const std::uint64_t size = std::min(before_.offset() + before_.chunk_size(), end) - at;
				if (!is_at_border || !has_bytes(before_, at - before_.offset(), zero_bytes(size)))
					replace(at, size);
				at += size;
				is_at_border = false;
			}
		}
	}

	void replace(std::uint64_t offset, std::uint64_t size)
	{
		const std::uint64_t old_size = before_.total_bytes();
		const std::uint64_t overwritten = offset < old_size ? std::min(size, old_size - offset) : 0;
		if (has_pending_ && pending_.kind == ChangedRange::Kind::replaced &&
			pending_.new_offset + pending_.new_size == offset) {
			pending_.size += overwritten;
			pending_.new_size += size;
			return;
		}
		pass_on();
		pending_ = {offset, overwritten, offset, size, ChangedRange::Kind::replaced};
		has_pending_ = true;
	}

	void move(std::uint64_t from, std::uint64_t to, std::uint64_t size)
	{
		if (has_pending_ && pending_.kind == ChangedRange::Kind::moved && pending_.offset + pending_.size == from &&
			pending_.new_offset + pending_.new_size == to) {
			pending_.size += size;
			pending_.new_size += size;
			return;
		}
		pass_on();
		pending_ = {from, size, to, size, ChangedRange::Kind::moved};
		has_pending_ = true;
	}

	void pass_on()
	{
		if (has_pending_)
			found_(pending_);
		has_pending_ = false;
	}

	TreeCursor before_;
	ZeroChunks &zeros_;
	OldChunks &old_;
	std::uint64_t new_size_, end_of_zeros_ = ~std::uint64_t(0);
	const ChunkContent &content_;
	const std::function<void(const ChangedRange &)> &found_;
	ChangedRange pending_;
	bool has_pending_ = false;
};

} // namespace

std::string range_record(const ChangedRange &range)
{
	return std::to_string(range.offset) + ' ' + std::to_string(range.size) + ' ' + std::to_string(range.new_offset) +
		' ' + std::to_string(range.new_size) +
		(range.kind == ChangedRange::Kind::moved ? " moved" : " replaced");
}

void diff_chunk_lists(const TreeRoot &before, const TreeRoot &after, const ContentSource &source,
	const ChunkingParameters &parameters, const std::function<void(const ChangedRange &)> &found)
{
	ZeroChunks zeros(parameters);
	OldChunks old;
	std::vector<Part> parts;
	bool are_all_kept = true;
	Alignment alignment(before, after, source.nodes, zeros);
	Ranges ranges(alignment.before(), zeros, old, alignment.new_size(), source.chunks, found);
	alignment.run(
		[&](const Part &part) {
			are_all_kept = are_all_kept && parts.size() < most_parts;
			if (are_all_kept)
				parts.push_back(part);
		},
		[&](const Piece &piece) { old.add(piece); });
	if (are_all_kept) {
		for (const Part &part : parts)
			ranges.take(part);
	} else {
		parts = {};
		Alignment(before, after, source.nodes, zeros)
			.run([&](const Part &part) { ranges.take(part); }, [](const Piece &) {});
	}
	ranges.finish();
}

} // namespace dig
