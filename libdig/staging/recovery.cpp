// A writer can be killed between any two system calls, and a power cut can leave any subset of the
// pages that were written since the last sync.  Whoever opens the staging area next finds out what
// holds, from four files: the index, the journal, the pack, and the layer that the pack may have
// become.
//
// The index says up to which offset it has what the journal finished.  So much was promised: an
// add that ended with success, or a commit, relies on it.  The records before that offset must be
// whole, and the pack must reach as far as they say.  If not, it is damage, and it stays as it is,
// because cutting it off would destroy what was promised.
//
// Behind that offset stands what an add has left that is not finished, or is still running.  If
// nobody else has the journal open (each writer holds a shared lock on it, which the kernel
// releases at its death), it is left by the dead.  Then
//
//     a record that is torn           the journal is cut there
//     a block behind the last mark    it is decoded and compared; the journal is cut before
//                                     the first that fails
//     a finished file                 it comes into the index
//     bytes behind the last block     the pack is cut there
//
// If somebody else is there, nothing is cut and nothing is taken into the index, since the records
// belong to writers that will do so.  What they append is read on before each append of ours.
//
// A note says that the pack was about to become a layer.  The layer id in it and the history tell
// which side of the commit the crash was on.  If the history has the layer, what was staged is
// committed, and staging is cleared.  If not, the layer becomes the pack again.  Each step can be
// repeated, since a crash can come inside the recovery as well.
//
// Files of the staging area can also be of different times, where somebody has put back a copy.
// Journal and index name each other by a random id.  Where these differ, all content that is
// staged is looked up, down to the chunks; only if something is nowhere it is damage.
//
// Rejected: a recovery at the end of the program that was killed (it may never come back); a log
// of what to undo (there is nothing to undo where bytes are only appended); files that are
// finished again (the next add would read them again, and a stream could not be).
#include "libdig/staging/recovery.h"

#include "libdig/os/directory.h"
#include "libdig/os/publish.h"
#include "libdig/staging/index_update.h"
#include "libdig/staging/staged_content.h"
#include "libdig/staging/staged_items.h"
#include "libdig/staging/staging_clear.h"
#include "libdig/watch/progress.h"

namespace dig {

class Recovery {
public:
	explicit Recovery(const OpenStaging &staging)
		: store_(staging.store), pack_(staging.pack), runs_(staging.runs), known_(staging.known),
		  directory_(pack_.directory())
	{
	}

	StagingFound open()
	{
		const Index index = open_index();
		// What is read of roots now is not older than the index.
		store_.refresh();
		if (!find_journal(pack_.journal_path())) {
			require_in_layers(index);
			begin();
		}
		try {
			open_journal(index);
		} catch (const CorruptError &) {
			if (index.state().has_loose || find_content_in_no_layer(store_, index))
				throw;
			give_notice("the staging area in " + quote(directory_) + " was damaged; it is made anew, and nothing that "
				"was staged is lost");
			begin();
			// What was read of the journal before it proved to be damaged is in no pack any more.
			known_.clear();
			found_ = {};
			open_journal(index);
		}
		return found_;
	}

	// Takes over what the journal says from an offset on.
	void read(std::uint64_t from);

private:
	Index open_index() const
	{
		if (const Index index = Index::open(directory_); index.is_lost()) {
			index.remove_lost();
			give_notice("the index in " + quote(directory_) + " was damaged, and nothing was staged; it is made anew");
		}
		return Index::open(directory_);
	}

	void begin()
	{
		remove_staging_runs(directory_);
		pack_.begin();
	}

	void open_journal(const Index &index);
	void require_in_layers(const Index &index) const;
	void require_content(const Index &index) const;
	void require_promised(std::uint64_t good) const;
	bool take_block(const JournalRecord &record);
	bool is_intact(const JournalBlock &block) const;
	void publish_finished();

	Store &store_;
	Pack &pack_;
	StagedRuns &runs_;
	ItemSet &known_;
	std::string directory_;
	StagingFound found_;
	std::unique_ptr<IndexUpdate> finished_; // files, where nobody else is there
};

// Where there is no journal, nothing that is staged may need one.
void Recovery::require_in_layers(const Index &index) const
{
	const std::string path = pack_.journal_path();
	const bool is_there = find_stat(path).has_value();
	const std::string what = is_there ? "its beginning is damaged" : "it is missing";
	const std::optional<std::string> lost = find_content_in_no_layer(store_, index);
	if (lost || index.state().has_loose)
		throw CorruptError(what + ", and with it what is staged" + (lost ? ", as " + quote(*lost) : "") +
			std::string(reset_advice), path, 0);
	if (is_there)
		give_notice(quote(path) + " was damaged, and nothing that is staged needs it; it is made anew");
}

// The journal is not the one that the index relies on, as after a crash while a new one was put in
// place, or when files of several times came together.
void Recovery::require_content(const Index &index) const
{
	const std::optional<std::string> lost = find_lost_content(store_, index);
	if (lost)
		throw CorruptError("it belongs to another index, and " + quote(*lost) +
			", which is staged, is not in the pack" +
			std::string(reset_advice), pack_.journal_path(), 0);
	if (index.state().has_loose)
		throw CorruptError("it belongs to another index" + std::string(reset_advice), pack_.journal_path(), 0);
}

void Recovery::open_journal(const Index &index)
{
	found_.is_alone = pack_.open_journal();
	found_.has_unfinished = !found_.is_alone;
	remove_abandoned(directory_);
	runs_.open(pack_.id());
	if (index.state().journal_id != pack_.id())
		require_content(index);
	const std::uint64_t from = std::min(merged_offset(index.state(), pack_.id()), runs_.covered());
	pack_.state() = JournalState(from);
	if (found_.is_alone)
		finished_ = std::make_unique<IndexUpdate>(directory_);
	read(from);
	pack_.open_file();
	if (finished_ && !finished_->is_empty() && !pack_.state().note())
		publish_finished();
	finished_.reset();
}

void Recovery::publish_finished()
{
	const std::uint64_t offset = pack_.end_appended();
	finished_->publish([&](IndexState &state) {
		state.journal_id = pack_.id();
		state.journal_offset = offset;
		state.has_dropped = state.has_dropped || found_.has_unfinished;
		// Nobody knows when the add began that was interrupted.
		state.may_lack = state.may_lack || store_.layer_table()->drops() > 0;
	});
}

static IndexRecord decode_file(const JournalRecord &record, std::string_view name)
{
	Cursor cursor(record.body, name, record.offset);
	return IndexRecord::decode(cursor);
}

void Recovery::read(std::uint64_t from)
{
	pack_.find_file();
	JournalState &state = pack_.state();
	JournalReader reader(pack_.journal(), from);
	const std::string_view name = pack_.journal().name();
	const Index index = Index::open(directory_);
	state.set_merged(merged_offset(index.state(), pack_.id()));
	std::uint64_t good = reader.offset();
	// Which blocks were promised to be on storage shows only behind them.
	if (found_.is_alone) {
		JournalReader ahead(pack_.journal(), from);
		if (const std::optional<JournalMark> mark = find_last_mark(ahead, name))
			pack_.set_synced_size(mark->pack_size);
	}
	for (; const std::optional<JournalRecord> record = reader.next(); good = reader.offset()) {
		if (record->type == JournalType::block) {
			if (take_block(*record))
				continue;
			require_promised(good);
			pack_.cut(good);
			return;
		}
		state.take(*record, name);
		// Their removals are in no journal: the update finds them, as that of the add would have.
		if (record->type == JournalType::file && finished_ && record->offset >= state.merged())
			finished_->put(decode_file(*record, name));
	}
	require_promised(good);
	// A record that is torn was never promised to anybody.
	if (reader.is_torn() && found_.is_alone)
		pack_.cut(good);
	pack_.set_journal_size(good);
	pack_.cut_file();
}

// What the index relies on must be there; nothing is cut off where it is not.
void Recovery::require_promised(std::uint64_t good) const
{
	if (good < pack_.state().merged() || pack_.state().misses_blocks())
		throw CorruptError("a record is damaged" + std::string(reset_advice), pack_.journal_path(), good);
}

// False when the pack does not hold what the record says, as after a power cut.
bool Recovery::take_block(const JournalRecord &record)
{
	const JournalBlock block = JournalBlock::decode(record.body, pack_.journal().name(), record.offset);
	// With a note the pack may be a layer already, and was synced before.
	if (found_.is_alone && block.end() > pack_.synced_size() && pack_.file().is_open() && !is_intact(block))
		return false;
	for (const Digest &item : block.items)
		known_.insert(block.kind(), item);
	pack_.state().take(block, record.offset);
	found_.has_unfinished = found_.has_unfinished || record.offset >= pack_.state().merged();
	return true;
}

bool Recovery::is_intact(const JournalBlock &block) const
{
	if (block.end() > pack_.file().size())
		return false;
	try {
		Decompressor decompressor;
		check_pack_block(pack_.file(), block, decompressor);
	} catch (const CorruptError &) {
		return false;
	}
	return true;
}

StagingFound open_staging(const OpenStaging &staging) { return Recovery(staging).open(); }

void read_appended(const OpenStaging &staging) { Recovery(staging).read(staging.pack.journal_size()); }

bool was_committed(const OpenStaging &staging)
{
	JournalState state = staging.pack.state();
	const File &journal = staging.pack.journal();
	JournalReader rest(journal, staging.pack.journal_size());
	state.take_all(rest, journal.name());
	return state.note() && staging.store.roots().find_layer(state.note()->layer_id);
}

void settle_note(const OpenStaging &staging)
{
	Store &store = staging.store;
	const Digest layer = staging.pack.state().note()->layer_id;
	store.reload();
	// The staging area may have been copied then, and be put back after later commits.
	if (store.roots().find_layer(layer))
		clear_staging_locked(store, layer);
	else
		staging.pack.take_back(store.paths().layer(layer));
}

} // namespace dig
