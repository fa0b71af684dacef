// Where the store with an id is, as a URN names it.
#ifndef DIG_STORES_BY_ID_H
#define DIG_STORES_BY_ID_H

#include <string>

#include "libdig/base/digest.h"

namespace dig {

// The directory of the store: here, in DIG_STORES, or among the user's.  NoStoreError if it is in none of them.
std::string find_store_by_id(const Digest &id);

} // namespace dig

#endif
