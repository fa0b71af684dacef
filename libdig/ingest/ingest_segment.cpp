#include "libdig/ingest/ingest_segment.h"

#include <algorithm>

#include "libdig/base/trace.h"
#include "libdig/os/clock.h"
#include "libdig/os/mapped_read.h"
#include "libdig/os/process.h"

namespace dig {

// Reads an aligned segment that is not in the page cache past the cache.  0 where that does not work.
std::size_t Ingest::Segments::read_past_cache(const Claim &claim)
{
	const Job &job = *claim.job;
	if (!job.direct || claim.offset % IngestRing::unit || job.file.is_cached(claim.offset, claim.size))
		return 0;
	const std::size_t aligned = IngestRing::whole_units(claim.size);
	try {
		return std::min<std::size_t>(claim.size, job.direct->read_some_at({claim.data, aligned}, claim.offset));
	} catch (const SystemError &) {
		// Some file systems refuse only the read, and not the open.
		return 0;
	}
}

std::size_t Ingest::Segments::read_file(Claim &claim)
{
	Job &job = *claim.job;
	const Region region("read");
	std::uint8_t *const to = claim.data;
	try {
		std::size_t done = job.is_mapped ? read_mapped(job.file, {to, claim.size}, claim.offset)
						  : read_past_cache(claim);
		if (done == 0 && claim.offset + claim.size < job.size)
			job.file.advise_will_need(claim.offset + claim.size, 2 * shared_.plan.segment);
		while (done < claim.size) {
			check_interrupted();
			const std::size_t piece = std::min<std::uint64_t>(
				shared_.settings.performance.buffer_size, claim.size - done);
			const std::size_t n = job.file.read_at({to + done, piece}, claim.offset + done);
			done += n;
			if (n < piece)
				break;
		}
		if (done < claim.size)
			end_early(claim);
		return done;
	} catch (const SystemError &error) {
		give_up(job, error.what(), false);
		return 0;
	}
}

std::size_t Ingest::Segments::read_stream(Claim &claim)
{
	try {
		return read_some_stream(claim);
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &error) {
		give_up(*claim.job, error.what(), dynamic_cast<const StreamChanged *>(&error));
		claim.is_last = true;
		return 0;
	}
}

// Whether more may follow.
static bool wait_for_frame(Source &source)
{
	if (!source.next_frame || source.frame_left > 0 || source.zeros_left > 0)
		return true;
	const ContentFrame frame = source.next_frame();
	(frame.is_hole ? source.zeros_left : source.frame_left) = frame.size;
	return frame.size > 0;
}

// The zeros of a hole that is too small for a segment of its own.
static std::size_t put_zeros(Source &source, MutableBytes to)
{
	const std::size_t n = std::min<std::uint64_t>(source.zeros_left, to.size());
	std::fill_n(to.begin(), n, std::uint8_t(0));
	source.zeros_left -= n;
	return n;
}

// A segment of a stream; a shorter one where a checkpoint is due.
std::size_t Ingest::Segments::read_some_stream(Claim &claim)
{
	Source &source = claim.job->source;
	std::uint8_t *const to = claim.data;
	const int fd = source.stream->fd();
	std::uint64_t wanted = shared_.plan.segment;
	if (source.checkpoint_bytes)
		wanted = std::min(wanted, source.checkpoint_bytes);
	const std::int64_t deadline = now_ns() + source.checkpoint_ns;
	std::size_t done = 0;
	while (done < wanted) {
		int timeout_ms = -1;
		if (source.checkpoint_ns) {
			const std::int64_t left = deadline - now_ns();
			if (left <= 0)
				return done;
			timeout_ms = static_cast<int>(std::min<std::int64_t>(left / 1000000 + 1, 1000000));
		}
		const bool is_there = wait_until_readable(fd, timeout_ms);
		clock_.lap(Step::input);
		if (!is_there)
			return done;
		std::size_t piece = wanted - done;
		if (!wait_for_frame(source)) {
			claim.is_last = true;
			return done;
		}
		if (source.zeros_left >= Job::hole_limit)
			return done; // it is the next segment
		if (source.zeros_left > 0) {
			done += put_zeros(source, {to + done, piece});
			continue;
		}
		if (source.next_frame)
			piece = std::min<std::uint64_t>(piece, source.frame_left);
		const std::size_t n = source.stream->read_some({to + done, piece});
		source.frame_left -= source.next_frame ? n : 0;
		if (n == 0 && source.next_frame)
			throw Error("the stream has ended inside a frame");
		if (n == 0) {
			claim.is_last = true;
			return done;
		}
		clock_.lap(Step::read);
		shared_.work.stream_bytes.add(n);
		done += n;
	}
	return done;
}

void Ingest::Segments::end_early(Claim &claim)
{
	Job &job = *claim.job;
	if (!job.source.takes_changing)
		return give_up(job, cut_short(job.source.path), true);
	claim.is_last = claim.is_cut_short = true;
	std::lock_guard guard(shared_.mutex);
	end_claims(job);
}

void Ingest::Segments::give_up(Job &job, const std::string &error, bool has_changed)
{
	std::lock_guard guard(shared_.mutex);
	if (job.outcome.error.empty())
		job.outcome.error = error;
	job.outcome.has_changed = job.outcome.has_changed || has_changed;
	end_claims(job);
}

void Ingest::Segments::end_claims(Job &job)
{
	job.all_claimed = true;
	if (!shared_.queue.empty() && shared_.queue.front().job.get() == &job)
		shared_.pop_front();
}

} // namespace dig
