// Small files are read in batches: with a ring, opening, reading and closing takes three system
// calls a batch (read_batch).  What cannot go that way is read by itself afterwards: symbolic
// links, files that are open already, empty ones, and every file that failed or did not fill its
// room, because a single read tells the reason.
//
// The room of a file is its size as the walk saw it.  A file that has grown meanwhile is not read
// further.  It has changed, and the sink submits it again.
#include "libdig/ingest/ingest_batch.h"

#include <algorithm>
#include <cstring>

#include "libdig/os/clock.h"
#include "libdig/os/process.h"

namespace dig {

// Rooms are as large as the sources were said to be, so that their places are known before reading.
static std::size_t room_of(const Source &source)
{
	if (source.content)
		return source.content->size();
	return source.kind == EntryKind::symlink ? max_link_size : source.stat->size;
}

std::size_t room_for(const std::vector<Source> &batch)
{
	// Batches of empty files are few at a time, too.
	std::size_t room = IngestRing::unit;
	for (const Source &source : batch)
		room += room_of(source);
	return room;
}

// 0 for a file that is not what it was when the walk found it.
static std::size_t checked_size(const Source &source, std::size_t size, SourceOutcome &outcome)
{
	outcome.has_changed = !is_same_content(outcome.stat, *source.stat);
	return outcome.has_changed ? 0 : size;
}

// Its memory is given back.
static std::size_t take_content(Source &source, std::uint8_t *to, SourceOutcome &outcome)
{
	const std::size_t size = source.content->size();
	std::copy_n(source.content->begin(), size, to);
	Buffer().swap(*source.content);
	outcome.stat = *source.stat;
	outcome.stat.size = size;
	return size;
}

void Ingest::SmallFiles::take(Claim &claim)
{
	claim.outcomes.resize(claim.batch.size());
	check_interrupted();
	read_together(claim);
	std::uint8_t *to = claim.data;
	for (std::size_t i = 0; i < claim.batch.size(); i++) {
		Source &source = claim.batch[i];
		const std::size_t room = room_of(source);
		std::size_t n;
		if (source.content) {
			n = take_content(source, to, claim.outcomes[i]);
		} else if (batched_[i].is_read) {
			claim.outcomes[i].stat = batched_[i].stat;
			n = checked_size(source, source.stat->size, claim.outcomes[i]);
		} else {
			check_interrupted();
			n = read_one(source, {to, room}, claim.outcomes[i]);
		}
		const MutableBytes content(to, n);
		claim.pieces.push_back({content, n, {}, 1});
		to += room;
	}
}

// Reads the files that open and fill their rooms together; the others are left for read_one().
void Ingest::SmallFiles::read_together(Claim &claim)
{
	batched_.assign(claim.batch.size(), {});
	std::uint8_t *to = claim.data;
	const std::int64_t now = now_ns();
	for (std::size_t i = 0; i < claim.batch.size(); i++) {
		const Source &source = claim.batch[i];
		claim.outcomes[i].read_began_ns = now;
		const MutableBytes room(to, room_of(source));
		to += room.size();
		if (source.kind == EntryKind::file && !source.opened && !source.content && !room.empty()) {
			batched_[i].path = &source.path;
			batched_[i].room = room;
		}
	}
	together_.read(batched_);
}

std::size_t Ingest::SmallFiles::read_one(const Source &source, MutableBytes room, SourceOutcome &outcome)
{
	outcome.read_began_ns = now_ns();
	try {
		if (source.kind == EntryKind::symlink) {
			const std::string text = read_link_beneath(root_, source.path);
			if (text.size() > room.size())
				throw Error("the symbolic link is too long");
			outcome.stat = *source.stat;
			outcome.stat.size = text.size();
			std::memcpy(room.data(), text.data(), text.size());
			return text.size();
		}
		const File file = open_source(root_, source);
		std::uint8_t first;
		// A file of the kernel may have content and the size 0, or less content than its size.
		const bool is_short = room.empty() ? file.read_at({&first, 1}, 0) > 0 : file.read_at(room, 0) < room.size();
		outcome.stat = file.stat();
		if (outcome.stat.type != FileType::regular)
			throw Error("it is no regular file any more");
		const std::size_t n = checked_size(source, room.size(), outcome);
		outcome.is_unsized = is_short && !outcome.has_changed;
		outcome.has_changed = outcome.has_changed || is_short;
		return outcome.has_changed ? 0 : n;
	} catch (const Error &error) {
		outcome.error = error.what();
		return 0;
	}
}

} // namespace dig
