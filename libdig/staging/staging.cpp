// Each call takes the lock, and first of all catches up: others may have appended, committed, or
// given up what was staged since the last one.  After that, the files that are open are those in
// place, and the state in memory is what the journal says.
//
// A commit renames the pack and removes the journal.  A writer that is still adding finds another
// journal in place then.  If the journal that it has open ends with the note of a layer that is in
// the history, all that it appended is in that layer, and it goes on in a new pack.  If not,
// somebody has given up what was staged, and to go on would stage entries without their content.
#include "libdig/staging/staging.h"

#include "libdig/os/directory.h"
#include "libdig/os/publish.h"
#include "libdig/staging/recovery.h"
#include "libdig/staging/staging_clear.h"

namespace dig {

constexpr std::uint64_t least_gap = 16_KiB; // that is closed

StagingWriter::StagingWriter(Store &store, bool holds_store_lock)
	: store_(store), holds_store_lock_(holds_store_lock), directory_(store.paths().staging()),
	  lock_((make_directory(directory_), directory_ + "/lock")), pack_(directory_), runs_(directory_),
	  known_(std::make_unique<ItemSet>(directory_))
{
	join_adders();
	recover();
}

// What gc drops stays in its files until all adds have ended that began before: they may rely on it.
void StagingWriter::join_adders()
{
	for (;;) {
		const std::uint64_t rounds = store_.layer_table()->rounds();
		adding_ = Lock::acquire(store_.paths().adding(rounds), 60000, Lock::Mode::shared);
		if (!store_.refresh() || store_.layer_table()->rounds() == rounds)
			break;
	}
	drops_ = store_.layer_table()->drops();
}

// --- under the lock --------------------------------------------------------------------------

void StagingWriter::recover()
{
	std::lock_guard threads(mutex_);
	std::optional<LockFile::Guard> guard;
	enter(guard);
}

void StagingWriter::locked(const std::function<void()> &action)
{
	std::lock_guard threads(mutex_);
	std::optional<LockFile::Guard> guard;
	enter(guard);
	action();
}

// Takes the staging lock, and everything that others have done without us.
void StagingWriter::enter(std::optional<LockFile::Guard> &guard)
{
	for (;;) {
		guard.emplace(lock_);
		if (catch_up_locked())
			return;
		guard.reset();
		// A commit is between its layer and its root; that takes milliseconds.
		Lock::acquire(store_.paths().lock());
	}
}

OpenStaging StagingWriter::open_files() { return {store_, pack_, runs_, *known_}; }

// Makes the journal and the pack that are open those that are in place, with everything read that
// others have appended.  False while somebody else's commit has to end first.
bool StagingWriter::catch_up_locked()
{
	const std::optional<FileStat> there = find_stat(pack_.journal_path());
	if (!pack_.has_journal()) {
		open_locked();
	} else if (!there || pack_.journal().stat().inode != there->inode) {
		reopen_locked();
	} else if (there->size != pack_.journal_size()) {
		is_alone_ = false;
		has_unfinished_ = true;
		read_appended(open_files());
	}
	return !pack_.state().note() || settle_note_locked();
}

void StagingWriter::open_locked()
{
	const StagingFound found = open_staging(open_files());
	is_alone_ = found.is_alone;
	has_unfinished_ = found.has_unfinished;
}

// Another journal is in place.  What was in the pack is in a layer now, or it was given up, and then
// this process must not go on as if it were there.
void StagingWriter::reopen_locked()
{
	store_.reload();
	if (pack_.state().block_count() > 0 && !was_committed(open_files()))
		throw Error("what was staged was given up by another command meanwhile; add again");
	open_locked();
}

bool StagingWriter::settle_note_locked()
{
	std::optional<Lock> lock;
	if (!holds_store_lock_ && !(lock = Lock::try_acquire(store_.paths().lock())))
		return false;
	settle_note(open_files());
	open_locked();
	return true;
}

// --- appending -------------------------------------------------------------------------------

bool StagingWriter::claim_for_pack(ItemKind kind, const Digest &digest)
{
	if (!runs_.contains(kind, digest) && known_->insert(kind, digest))
		return true;
	uses_pack_ = true;
	return false;
}

bool StagingWriter::has_in_pack(ItemKind kind, const Digest &digest)
{
	return runs_.contains(kind, digest) || known_->contains(kind, digest);
}

bool StagingWriter::claim(ItemKind kind, const Digest &digest, Bytes content)
{
	if (store_.holds(kind, digest, content))
		return false;
	return claim_for_pack(kind, digest);
}

void StagingWriter::append(std::span<const ReadyBlock> blocks, Bytes journal_records)
{
	if (blocks.empty() && journal_records.empty())
		return;
	FramedBlocks framed(blocks);
	locked([&] { pack_.append(framed, journal_records); });
}

void StagingWriter::checkpoint()
{
	// The long part without the lock, so that others go on; what they append meanwhile is left
	// for the next time.
	std::uint64_t size = 0;
	std::uint32_t count = 0;
	StagingId id{};
	// A file of its own: that of the pack is closed when a commit seals it meanwhile.
	File pack;
	locked([&] {
		size = pack_.size();
		count = pack_.state().block_count();
		id = pack_.id();
		pack = File::open(pack_.path());
	});
	pack.sync_data();
	locked([&] {
		if (id == pack_.id()) // else it was sealed meanwhile, and the layer was synced
			pack_.mark_synced(size, count);
	});
}

void StagingWriter::finish(IndexUpdate &update, const std::function<void(IndexState &)> &change)
{
	locked([&] {
		if (update.is_empty() && !change && appended_bytes() == 0 && !has_new_failures_)
			return;
		const std::uint64_t merged = pack_.end_appended();
		runs_.extend(pack_);
		store_.refresh();
		// Nobody knows when an add began that this one goes on with.
		const std::uint64_t drops = store_.layer_table()->drops();
		const bool may_lack = drops != drops_ || (drops > 0 && !checkpoints().empty());
		update.publish(
			[&](IndexState &state) {
				state.journal_id = pack_.id();
				state.journal_offset = merged;
				state.has_dropped = state.has_dropped || has_unfinished_;
				state.may_lack = state.may_lack || may_lack;
				if (change)
					change(state);
			});
		sync_directory(directory_);
		pack_.forget_appended();
		has_new_failures_ = false;
	});
}

void StagingWriter::finish_loose()
{
	if (appended_bytes() == 0 && (!uses_pack_ || Index::open(directory_).state().has_loose))
		return;
	IndexUpdate nothing(directory_);
	finish(nothing, [](IndexState &state) { state.has_loose = true; });
}

std::optional<JournalCheckpoint> StagingWriter::find_checkpoint(std::string_view path) const
{
	for (const JournalCheckpoint &checkpoint : checkpoints())
		if (checkpoint.file.entry.path == path)
			return checkpoint;
	return {};
}

void StagingWriter::set_failures(std::vector<JournalFailure> failures)
{
	has_new_failures_ = has_new_failures_ || failures.size() || this->failures().size();
	pack_.state().set_failures(std::move(failures));
}

// --- giving up -------------------------------------------------------------------------------

bool StagingWriter::may_drop_blocks(const IndexState &state) const
{
	return is_alone_ && (has_unfinished_ || state.has_dropped) && !state.has_loose;
}

// A part of the pack that nobody needs, and that is large enough for all that lies behind it.
struct StagingWriter::Gap {
	std::uint64_t begin = 0, end = 0;
	bool moves(const JournalBlock &block) const { return end > 0 && block.record.offset >= end; }
};

// The blocks of the pack that are kept, in order.
void StagingWriter::each_kept(const std::vector<bool> &kept, const std::function<void(JournalBlock &)> &take) const
{
	JournalReader reader(pack_.journal());
	for (std::size_t i = 0; i < kept.size(); i++) {
		std::optional<JournalBlock> block = next_block(reader, pack_.journal().name());
		if (!block)
			throw CorruptError("blocks are missing", pack_.journal().name(), reader.record_offset());
		if (kept[i])
			take(*block);
	}
}

// The gap that makes the pack shortest, once what lies behind it has moved into it.
StagingWriter::Gap StagingWriter::find_gap(const std::vector<bool> &kept) const
{
	std::uint64_t behind = 0, end = sizeof(Preamble), shortest = ~std::uint64_t(0);
	each_kept(kept, [&](const JournalBlock &block) { behind += block.record.length; });
	Gap found;
	each_kept(kept, [&](const JournalBlock &block) {
		const std::uint64_t gap = block.record.offset - end;
		if (gap >= least_gap && behind <= gap && end + behind < shortest) {
			shortest = end + behind;
			found = {end, block.record.offset};
		}
		behind -= block.record.length;
		end = block.end();
	});
	return found;
}

void StagingWriter::fill_gap(const Gap &gap, const std::vector<bool> &kept) const
{
	Buffer window;
	std::uint64_t to = gap.begin;
	each_kept(kept, [&](const JournalBlock &block) {
		if (!gap.moves(block))
			return;
		check_interrupted();
		window.resize(block.record.length);
		pack_.file().read_exactly_at(window, block.record.offset);
		pack_.file().write_at(window, to);
		to += window.size();
	});
}

// The journal comes before the rest: a kill behind it leaves blocks that nobody names.  The index knows
// another journal then, so its first mark says how many blocks there must be.
void StagingWriter::rewrite_journal(const std::vector<bool> &kept, const Gap &gap)
{
	pack_.sync();
	JournalWriter writer(pack_.journal_path(), new_staging_id());
	JournalMark mark;
	const auto put_mark = [&] {
		writer.put(JournalType::mark, [&](Buffer &body) { mark.encode(body); });
	};
	put_mark();
	std::uint64_t to = gap.begin;
	each_kept(kept, [&](JournalBlock &block) {
		block.number = mark.block_count++;
		if (gap.moves(block)) {
			block.record.offset = to;
			to += block.record.length;
		}
		mark.pack_size = block.end();
		writer.put(JournalType::block, [&](Buffer &body) { block.encode(body); });
	});
	writer.append(pack_.state().carried_records());
	put_mark();
	writer.replace_first(mark);
	remove_staging_runs(directory_);
	writer.publish(PublishedFile::Durability::file_only);
	known_ = std::make_unique<ItemSet>(directory_);
	open_locked();
}

void StagingWriter::keep_blocks(const std::function<bool(const JournalBlock &)> &is_kept)
{
	locked([&] {
		if (!is_alone_ || !pack_.is_alone())
			return;
		std::vector<bool> kept;
		JournalReader reader(pack_.journal());
		while (const std::optional<JournalBlock> block = next_block(reader, pack_.journal().name()))
			kept.push_back(is_kept(*block));
		rewrite_journal(kept, {});
	});
}

// What a killed add left may be much, and what is committed behind it little.  A layer with a hole of that
// size would be as large for whoever copies it.  So blocks move into the gap, once the journal that names
// what was there is gone for good.  They stay in their old places, too, until another journal names the
// new ones.
void StagingWriter::close_gap()
{
	locked([&] {
		if (!is_alone_ || !pack_.is_alone())
			return;
		const std::vector<bool> all(pack_.state().block_count(), true);
		const Gap gap = find_gap(all);
		if (gap.end == 0)
			return;
		pack_.settle_journal();
		fill_gap(gap, all);
		rewrite_journal(all, gap);
	});
}

void StagingWriter::mark_lacking(bool may_lack)
{
	const Index index = Index::open(directory_);
	const bool relies = index.may_have_staged() || index.state().has_loose || pack_.size() > sizeof(Preamble) ||
		!checkpoints().empty();
	if (index.state().may_lack == may_lack || (may_lack && !relies))
		return;
	IndexUpdate(directory_).publish([&](IndexState &state) { state.may_lack = may_lack; });
	sync_directory(directory_);
}

void StagingWriter::drop_pack()
{
	locked([&] {
		const Index index = Index::open(directory_);
		if (!pack_.is_alone() || pack_.size() == sizeof(Preamble) || index.state().has_loose)
			return;
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next())
			if (index.is_staged(*at.current()) && !at.current()->is_removed)
				return;
		remove_staging_runs(directory_);
		// The journal first: without its records the pack's content is nothing.  The index goes on
		// to name it, so that what comes back in a power cut is not taken for new.
		pack_.close();
		remove_file_if_there(pack_.journal_path());
		remove_file_if_there(pack_.path());
		IndexUpdate(directory_).publish([](IndexState &state) { state.has_dropped = false; });
		sync_directory(directory_);
	});
}

} // namespace dig
