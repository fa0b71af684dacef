// Whether what is staged is there: all content of staged entries, down to the chunks, must be in
// blocks that the journal names and the pack reaches, or in layers.
//
// Where the journal is the one that the index knows, and as long as the index relies on, this
// follows from their counts.  It is looked at where that is not so: a file of the staging area is
// missing, or from another time than the others.
#ifndef DIG_STAGED_CONTENT_H
#define DIG_STAGED_CONTENT_H

#include <functional>

#include "libdig/staging/index.h"
#include "libdig/store/store.h"

namespace dig {

// The first path that is staged with content that is nowhere.
std::optional<std::string> find_lost_content(Store &store, const Index &index);
// Each record that is.
void each_lost_content(Store &store, const Index &index, const std::function<void(const IndexRecord &)> &found);
// The first one again, as if there were no pack.
std::optional<std::string> find_content_in_no_layer(Store &store, const Index &index);

// Every byte of the staging area: CorruptError names what is damaged, or what is staged and missing.
// notice hears of what a power cut has left where nothing was lost.
void check_staging(Store &store, const std::function<void(const std::string &)> &notice);

} // namespace dig

#endif
