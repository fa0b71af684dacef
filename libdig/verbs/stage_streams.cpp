// Content that is in no file of the work tree: streams, and what is in memory.
#include <algorithm>
#include <utility>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/verbs/stage.h"

namespace dig {

static FileStat stat_of(std::uint16_t mode, const std::optional<std::int64_t> &mtime_ns, std::uint64_t size)
{
	FileStat stat;
	stat.type = FileType::regular;
	stat.mode = mode;
	stat.mtime_ns = mtime_ns.value_or(0);
	stat.size = size;
	return stat;
}

void Stage::stream(Stream stream)
{
	if (const std::string_view problem = path_problem(stream.path); !problem.empty())
		throw Error(quote(stream.path) + " cannot be stored: " + std::string(problem));
	std::optional<IndexRecord> old = index_.find(stream.path);
	if (old)
		note_dropped(*old);
	Source source;
	if (stream.keeps_same)
		source.previous = std::move(old);
	source.path = stream.path;
	source.stream = std::make_shared<File>(std::move(stream.content));
	source.stat = stat_of(stream.mode, stream.mtime_ns, 0);
	source.has_mtime = stream.mtime_ns.has_value();
	source.checkpoint_bytes = stream.checkpoint_bytes;
	source.checkpoint_ns = stream.checkpoint_ns;
	source.next_frame = std::move(stream.next_frame);
	source.stream_size = stream.size;
	source.origin = std::move(stream.origin);
	want_blocks(source);
	if (stream.is_resumed) {
		const JournalCheckpoint from = writer_.find_checkpoint(source.path).value();
		writer_.forget_checkpoint(source.path);
		resume(source, from);
	}
	stream_checkpoint_ns_ = now_ns();
	ingest_->submit(std::move(source));
}

std::optional<Stage::BegunStream> Stage::find_begun(const std::string &path) const
{
	// A digest of the whole needs every byte.
	const std::optional<JournalCheckpoint> begun = writer_.find_checkpoint(path);
	const Settings::Core &core = store_.settings().core;
	if (!begun || begun->origin.empty() || core.file_digest || (core.block_tree && begun->blocks.empty()))
		return {};
	return BegunStream{begun->offset, begun->origin};
}

std::optional<Stage::StreamFailure> Stage::take_stream_failure()
{
	std::lock_guard guard(update_mutex_);
	// This very add may go on with it.
	for (JournalCheckpoint &begun : begun_)
		writer_.keep_checkpoint(std::move(begun));
	begun_.clear();
	return std::exchange(stream_failure_, {});
}

void Stage::content(Content content)
{
	Source source;
	source.previous = index_.find(content.path);
	source.path = std::move(content.path);
	source.kind = content.kind;
	source.stat = stat_of(content.mode, content.mtime_ns, content.bytes.size());
	source.has_mtime = content.mtime_ns.has_value();
	source.content = std::move(content.bytes);
	ingest_->submit(std::move(source));
}

void Stage::put(IndexRecord record)
{
	const std::optional<IndexRecord> known = index_.find(record.entry.path);
	const bool is_same = known && known->entry == record.entry && !known->is_by_reference;
	if (is_same)
		record = *known;
	else if (known)
		note_dropped(*known);
	if (!is_same) {
		record.has_no_file = !may_have_file(root_, record.entry);
		record.sequence = IndexUpdate::new_sequence;
	}
	put_locked(record);
	failures_.settle(record.entry.path);
}

// What came of a stream so far becomes an entry that can be committed.
IndexRecord Stage::checkpoint_stream(Source &source, std::uint64_t offset)
{
	SourceOutcome outcome;
	outcome.stat.type = FileType::regular;
	outcome.stat.size = offset;
	IndexRecord record;
	record.entry = entry_of(source, outcome);
	record.entry.path = source.path;
	if (source.has_one_chunk()) {
		record.entry.form = ContentForm::chunk;
		record.entry.content = source.last_chunk;
	} else {
		// A copy ends here; the stream's own tree goes on.
		record.entry.form = ContentForm::file_root;
		record.entry.content = TreeBuilder(*source.tree).finish().id;
	}
	record.has_no_file = !may_have_file(root_, record.entry);
	record.sequence = IndexUpdate::new_sequence;
	source.checkpointed = offset;
	stream_checkpoint_ns_ = now_ns();
	return record;
}

// Nobody needs what came, but who goes on with it.
void Stage::fail_stream(Source &source, const SourceOutcome &outcome)
{
	has_dropped_ = has_dropped_ || source.has_chunks();
	// It is no part of what was taken, and comes again.
	Work &work = *options_.work;
	work.bytes.set(work.bytes.get() - (source.taken - source.resume_offset));
	work.stream_bytes.set(work.bytes.get());
	const std::uint64_t size = source.stream_size.value_or(0);
	work.total_bytes.set(work.total_bytes.get() - (size - std::min(size, source.resume_offset)));
	work.total_files.set(work.total_files.get() - 1);
	std::lock_guard guard(update_mutex_);
	stream_failure_ = StreamFailure{outcome.error, outcome.has_changed};
	if (!outcome.has_changed && !source.origin.empty() && source.has_chunks())
		begun_.push_back(checkpoint_of(source));
}

} // namespace dig
