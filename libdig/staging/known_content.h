// What stored content is behind a file root.
#ifndef DIG_KNOWN_CONTENT_H
#define DIG_KNOWN_CONTENT_H

#include <unordered_map>

#include "libdig/staging/index.h"
#include "libdig/store/store.h"

namespace dig {

// How entries with a file root name their content.
struct KnownContent {
	ContentForm form = ContentForm::none;
	Digest content;
	std::uint64_t size = 0;
};
using KnownContents = std::unordered_map<Digest, KnownContent, DigestHash>;

// Fills in what belongs to the file roots that are keys of wanted, as far as it is stored, staged, in
// the index, or in any state; what is not keeps its form of none.  Files of one chunk have no node of
// their own, so for those the index is read once and then the history, back to where all are found.
void find_known_contents(Store &store, const Index &index, KnownContents &wanted);

} // namespace dig

#endif
