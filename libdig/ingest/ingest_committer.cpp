// Workers finish units in any order.  The committer takes them to the sink in the order in which
// their claims were made, and the units of a claim in the order of offsets.  So the chunks of a file
// come in order, and the journal has the files in the order in which they were submitted, whatever the
// number of workers.
//
// It is one thread, because the pack grows at one end only.  Everything that can be done before is
// done by workers: what is left is to hand over digests and memory, and to wait for the storage.
// The mutex is not held meanwhile.  The room of a unit in the ring is free only after take().
//
// Only the last segment of a large file shows whether the file changed while it was read: stat
// after the last byte is compared with stat before the first.
#include <cassert>

#include "libdig/ingest/ingest_unit.h"

namespace dig {

// Takes units to the sink in the order of their claims, and gives back the room of each.
class Ingest::Committer {
public:
	explicit Committer(Shared &shared) : shared_(shared), clock_(shared.work) {}

	void run()
	{
		std::unique_lock lock(shared_.mutex);
		while (!shared_.threads.is_stopped()) {
			Unit *const unit = next_ready();
			if (!unit) {
				shared_.may_commit.wait(lock);
				continue;
			}
			lock.unlock();
			clock_.restart();
			commit(*unit);
			clear(*unit);
			clock_.lap(Step::write);
			lock.lock();
			give_back(*unit);
		}
	}

private:
	Unit *next_ready()
	{
		if (shared_.claims.empty() || shared_.claims.front()->units.empty())
			return nullptr;
		Unit *const unit = shared_.claims.front()->units.front();
		return unit->is_ready ? unit : nullptr;
	}

	// Without the mutex, since it may close a file.
	static void clear(Unit &unit)
	{
		unit.pieces.clear();
		unit.blocks.clear();
		unit.apart.clear();
		if (unit.ends_claim)
			unit.claim->clear_content();
	}

	void give_back(Unit &unit)
	{
		Claim &claim = *unit.claim;
		claim.units.pop_front();
		if (unit.ends_claim) {
			shared_.claims.pop_front();
			shared_.batches_under_way -= claim.is_batch;
			shared_.batch_files_under_way -= claim.batch_files;
			shared_.claim_pool.give_back(&claim);
		}
		unit.is_hashed = unit.is_ready = false;
		shared_.ring.free_to(unit.free_to);
		shared_.unit_pool.give_back(&unit);
		shared_.call_worker();
		if (shared_.is_idle())
			shared_.may_submit.notify_all();
	}

	void commit(Unit &unit)
	{
		chunks_.clear();
		parts_.clear();
		if (unit.claim->job)
			add_segment(*unit.claim->job, unit);
		else
			add_batch(unit);
		for (const IngestedUnit::Part &part : parts_) {
			count_chunks(part.chunks);
			if (part.outcome && part.outcome->error.empty() && !part.outcome->has_changed)
				shared_.work.files.add();
		}
		for (const ReadyBlock &block : unit.blocks)
			shared_.work.stored_bytes.add(block.payload.size());
		shared_.sink.take({parts_, unit.blocks});
	}

	void add_batch(Unit &unit)
	{
		Claim &claim = *unit.claim;
		chunks_.reserve(claim.batch.size()); // the parts refer into it
		for (std::size_t i = 0; i < claim.batch.size(); i++)
			add_small(claim.batch[i], unit.pieces[i], claim.outcomes[i]);
	}

	void add_small(Source &source, const Piece &piece, SourceOutcome &outcome)
	{
		outcome.has_new = piece.is_new;
		// The file is one chunk, whose id is the digest of the whole.
		if (shared_.settings.core.file_digest && source.kind == EntryKind::file)
			outcome.digest = piece.size ? piece.id : digest_of(Bytes());
		std::span<const ChunkRef> chunks;
		if (outcome.error.empty() && !outcome.has_changed && piece.size > 0) {
			chunks_.push_back({0, piece.size, piece.id, 1});
			chunks = std::span<const ChunkRef>(chunks_).last(1);
		}
		parts_.push_back({&source, chunks, &outcome});
	}

	void count_chunks(std::span<const ChunkRef> chunks)
	{
		std::uint64_t bytes = 0, count = 0;
		for (const ChunkRef &chunk : chunks) {
			bytes += chunk.size * chunk.count;
			count += chunk.count;
		}
		shared_.work.chunks.add(count);
		shared_.work.bytes.add(bytes);
	}

	void add_segment(Job &job, const Unit &unit)
	{
		assert(!job.is_finished);
		for (const Piece &piece : unit.pieces) {
			chunks_.push_back({job.committed_end, piece.size, piece.id, piece.count});
			job.committed_end = chunks_.back().end();
			job.outcome.has_new = job.outcome.has_new || piece.is_new;
		}
		if (job.source.blocks && !unit.pieces.empty())
			unit.block_part.add_to(*job.source.blocks);
		if (unit.ends_claim) {
			job.committed++;
			std::lock_guard guard(shared_.mutex);
			job.is_finished = job.all_claimed && job.committed == job.claimed;
		}
		if (job.is_finished)
			finish(job);
		parts_.push_back({&job.source, chunks_, job.is_finished ? &job.outcome : nullptr});
	}

	void finish(Job &job)
	{
		SourceOutcome &outcome = job.outcome;
		if (shared_.settings.core.file_digest && job.source.resume_offset == 0)
			outcome.digest = job.whole.finish();
		if (outcome.error.empty() && !outcome.has_changed) {
			if (job.source.stream) {
				outcome.stat.type = FileType::regular;
				outcome.stat.size = job.committed_end;
			} else {
				compare_with_before(job, job.committed_end);
			}
		}
		job.file = File();
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

	Shared &shared_;
	StepClock clock_;
	// Of the unit that is committed.
	std::vector<ChunkRef> chunks_;
	std::vector<IngestedUnit::Part> parts_;
};

bool Ingest::Shared::is_storage_behind() const
{
	if (claims.empty() || claims.front()->units.empty() || !claims.front()->units.front()->is_ready)
		return false;
	const Claim &first = *claims.front();
	if (first.units.size() > 1)
		return first.units[1]->is_ready;
	return first.units.front()->ends_claim && claims.size() > 1 && !claims[1]->units.empty() &&
		claims[1]->units.front()->is_ready;
}

void Ingest::Shared::run_committer() { Committer(*this).run(); }

} // namespace dig
