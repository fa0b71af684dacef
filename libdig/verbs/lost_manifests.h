// Makes the manifests of layers that are lost.
#ifndef DIG_LOST_MANIFESTS_H
#define DIG_LOST_MANIFESTS_H

#include "libdig/verbs/lost_items.h"

namespace dig {

// A lost manifest is the state before it, changed by what the index or a later state says of the paths that
// the lost commit may have changed.  Its root has to be the one that the header names.  What was made is
// among the found items; notice tells of what cannot be made.
void make_lost_manifests(LostItems &items, const std::function<void(const std::string &)> &notice);

} // namespace dig

#endif
