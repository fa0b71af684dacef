#include "libdig/ingest/ingest_unit.h"

#include "libdig/base/trace.h"

namespace dig {

// Takes units to the hooks in the order of their tickets.
class Ingest::Committer {
public:
	explicit Committer(Shared &shared) : shared_(shared), clock_(shared.work) {}

	void run()
	{
		std::unique_lock lock(shared_.mutex);
		for (;;) {
			Unit *const unit = shared_.find_ready_unit();
			if (shared_.failure || (!unit && shared_.is_stopping && shared_.is_idle()))
				return;
			if (!unit) {
				shared_.changed.wait(lock);
				continue;
			}
			lock.unlock();
			clock_.restart();
			commit(*unit);
			unit->clear();
			clock_.lap(Step::write);
			lock.lock();
			shared_.commit_turn++;
			unit->is_ready = false;
			unit->is_free = true;
			shared_.changed.notify_all();
		}
	}

private:
	void commit(Unit &unit)
	{
		if (unit.job)
			commit_segment(*unit.job, unit);
		else
			for (std::size_t i = 0; i < unit.batch.size(); i++)
				commit_small(unit.batch[i], unit.pieces[i], unit.outcomes[i]);
		store_blocks(unit.blocks);
	}

	void commit_small(Source &source, const Piece &piece, SourceOutcome &outcome)
	{
		source.has_new = piece.is_new;
		// One chunk: its id is that digest.
		if (shared_.settings.core.file_digest && source.kind == EntryKind::file)
			outcome.digest = piece.size ? piece.id : digest_of(Bytes());
		if (outcome.error.empty() && !outcome.has_changed && piece.size > 0) {
			const ChunkRef ref{0, piece.size, piece.id, 1};
			count_chunks({&ref, 1});
			shared_.hooks.chunks(source, {&ref, 1});
		}
		count_file(outcome);
		shared_.hooks.finished(source, outcome);
	}

	void count_file(const SourceOutcome &outcome)
	{
		if (outcome.error.empty() && !outcome.has_changed)
			shared_.work.files.add();
	}

	void count_chunks(std::span<const ChunkRef> refs)
	{
		std::uint64_t bytes = 0, count = 0;
		for (const ChunkRef &ref : refs) {
			bytes += ref.size * ref.count;
			count += ref.count;
		}
		shared_.work.chunks.add(count);
		shared_.work.bytes.add(bytes);
	}

	void commit_segment(Job &job, const Unit &unit)
	{
		refs_.clear();
		std::uint64_t offset = unit.first_cut;
		for (const Piece &piece : unit.pieces) {
			refs_.push_back({offset, piece.size, piece.id, piece.count});
			offset = refs_.back().end();
			job.source.has_new = job.source.has_new || piece.is_new;
		}
		count_chunks(refs_);
		if (!refs_.empty())
			shared_.hooks.chunks(job.source, refs_);
		job.committed++;
		bool is_done;
		{
			std::lock_guard guard(shared_.mutex);
			is_done = job.all_claimed && job.committed == job.claimed;
		}
		if (is_done)
			finish(job, offset);
	}

	void finish(Job &job, std::uint64_t size)
	{
		SourceOutcome &outcome = job.outcome;
		if (shared_.settings.core.file_digest && job.source.resume_offset == 0)
			outcome.digest = job.whole.finish();
		if (outcome.error.empty() && !outcome.has_changed) {
			if (job.source.stream) {
				outcome.stat.type = FileType::regular;
				outcome.stat.size = size;
			} else {
				compare_with_before(job, size);
			}
		}
		job.file = File();
		count_file(outcome);
		shared_.hooks.finished(job.source, outcome);
	}

	static void compare_with_before(Job &job, std::uint64_t size)
	{
		SourceOutcome &outcome = job.outcome;
		const FileStat before = outcome.stat;
		outcome.stat = job.file.stat();
		const bool has_changed = job.has_ended || !is_same_content(before, outcome.stat);
		if (job.source.takes_changing) {
			outcome.is_mixed = has_changed;
			outcome.stat.size = size;
			return;
		}
		outcome.has_changed = has_changed;
		if (outcome.stat.size < before.size)
			outcome.error = cut_short(job.source.path);
	}

	void store_blocks(std::span<const ReadyBlock> blocks)
	{
		const Region region("store");
		for (const ReadyBlock &block : blocks)
			shared_.work.stored_bytes.add(block.payload.size());
		if (shared_.hooks.store)
			shared_.hooks.store(blocks);
	}

	Shared &shared_;
	StepClock clock_;
	std::vector<ChunkRef> refs_;
};

void Ingest::Shared::run_committer() { Committer(*this).run(); }

} // namespace dig
