// What an interrupted writer left in the staging area, and what others do there meanwhile.
//
// All of it is under staging/lock.
#ifndef DIG_RECOVERY_H
#define DIG_RECOVERY_H

#include "libdig/staging/item_set.h"
#include "libdig/staging/pack.h"
#include "libdig/staging/staged_runs.h"
#include "libdig/store/store.h"

namespace dig {

// The parts of the staging area that a writer has open.
struct OpenStaging {
	Store &store;
	Pack &pack;
	StagedRuns &runs;
	ItemSet &known; // items of the pack that are in no run
};

// How it was found.
struct StagingFound {
	bool is_alone = false;       // nobody else has it open
	bool has_unfinished = false; // blocks of somebody who never finished, perhaps
};

// Opens journal and pack that are in place, or makes new ones.  When nobody else has them open, what a
// killed writer had finished comes into the index, and what it had not is cut off.  CorruptError where
// something is staged and its content is not there; nothing is changed then.
StagingFound open_staging(const OpenStaging &staging);
// Takes over what others have appended to the journal.
void read_appended(const OpenStaging &staging);
// Whether the pack that is open has become a layer of the history: the journal that is still open ends
// with the note of that commit then.
bool was_committed(const OpenStaging &staging);
// The journal has the note of a layer, and nobody has said whether its root was recorded.  Either
// staging is cleared, or the layer becomes the pack again.  Under the store's lock, too; staging is
// to be opened anew.
void settle_note(const OpenStaging &staging);

} // namespace dig

#endif
