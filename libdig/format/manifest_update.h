// Makes a new manifest out of an old one and of changes.
#ifndef DIG_MANIFEST_UPDATE_H
#define DIG_MANIFEST_UPDATE_H

#include "libdig/format/tree_builder.h"

namespace dig {

// Sets the entry of a path or, without an entry, removes it.
struct ManifestChange {
	std::string path;
	std::optional<Entry> entry;
};
// Gives the changes in the order of their paths, each path once, and nothing at the end.
using ManifestChanges = std::function<std::optional<ManifestChange>()>;

// Applies the changes to an old manifest and returns the new one.  Nodes are read and written in
// proportion to the changes.
NodeRef update_manifest(const TreeRoot &old_root, const NodeSource &source,
	const ManifestChanges &changes, const NodeSink &sink);

} // namespace dig

#endif
