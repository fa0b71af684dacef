#include "libdig/staging/staging_clear.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/publish.h"
#include "libdig/staging/index_update.h"
#include "libdig/staging/journal_state.h"
#include "libdig/staging/staged_content.h"
#include "libdig/staging/staged_runs.h"

namespace dig {

// A pack beside the note of a layer that is committed is of another time, and something that is
// staged may be in it.
static void remove_pack(Store &store, const std::string &directory)
{
	const std::string pack = directory + "/pack";
	if (!find_stat(pack))
		return;
	if (const auto lost = find_content_in_no_layer(store, Index::open(directory)))
		throw CorruptError("it does not belong to the journal beside it, and " + quote(*lost) +
				", which is staged, is in no layer" + std::string(reset_advice),
			pack, 0);
	remove_file(pack);
}

// Failures, and what is known of files that are not finished, live on in a new journal; as a rule
// there are none, and then the next writer makes it.
static void replace_journal(const std::string &path, const StagingId &id, const Buffer &carried)
{
	if (carried.empty()) {
		remove_file_if_there(path);
		return;
	}
	JournalWriter journal(path, id);
	journal.append(carried);
	journal.put(JournalType::mark, [](Buffer &body) { JournalMark().encode(body); });
	journal.publish(PublishedFile::Durability::file_only);
}

void clear_staging_locked(Store &store, const Digest &layer_id)
{
	const std::string directory = store.paths().staging();
	const std::optional<File> journal = find_journal(directory + "/journal");
	if (!journal)
		return;
	const JournalState rest = JournalState::behind(*journal, Index::open(directory).state());
	const std::optional<JournalNote> &note = rest.note();
	if (!note || note->layer_id != layer_id)
		return;
	// Checkpoints and failures live on.
	const Buffer carried = rest.carried_records();
	// Each step can be repeated: until the journal is gone, its note leads here again.
	remove_staging_runs(directory);
	const StagingId id = new_staging_id();
	IndexUpdate(directory).publish([&](IndexState &state) {
		// An index that is newer than the journal knows of later commits.
		if (state.committed_sequence <= note->sequence) {
			state.committed_sequence = note->sequence;
			state.manifest_root = note->manifest_root;
		}
		state.has_dropped = state.has_loose = false;
		if (carried.empty())
			return;
		state.journal_id = id;
		state.journal_offset = journal_start;
	});
	remove_pack(store, directory);
	replace_journal(directory + "/journal", id, carried);
}

void clear_staging(Store &store, const Digest &layer_id)
{
	const std::string directory = store.paths().staging();
	if (!find_stat(directory + "/journal"))
		return;
	const LockFile lock(directory + "/lock");
	LockFile::Guard guard(lock);
	clear_staging_locked(store, layer_id);
}

void discard_staging(Store &store)
{
	const std::string directory = store.paths().staging();
	make_directory(directory);
	const LockFile lock(directory + "/lock");
	LockFile::Guard guard(lock);
	remove_staging_runs(directory);
	for (const char *name : {"/journal", "/pack", "/changes", "/index"})
		remove_file_if_there(directory + name);
	sync_directory(directory);
}

} // namespace dig
