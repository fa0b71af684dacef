// Looks up paths in manifests, where many look-ups come one after the other.
#ifndef DIG_MANIFEST_SEEK_H
#define DIG_MANIFEST_SEEK_H

#include "libdig/store/kept_nodes.h"

namespace dig {

// Any thread may call.
class ManifestSeek {
public:
	explicit ManifestSeek(KeptNodes &nodes) : nodes_(nodes) {}

	// An entry, with the node that it stands in.
	struct Place {
		KeptNodes::NodePointer node;
		std::size_t number = 0;
		std::string_view path() const { return node->path(number); }
		Entry entry() const { return node->entry(number); }
	};
	// The first entry whose path is equal to path or behind it.
	std::optional<Place> seek(const TreeRoot &manifest, std::string_view path);
	std::optional<Entry> find(const TreeRoot &manifest, std::string_view path);
	// Whether an entry lies below path, or is an empty directory there.
	bool is_directory(const TreeRoot &manifest, std::string_view path);

private:
	KeptNodes &nodes_;
};

// Look-ups by one thread in one manifest.  A path that lies a little behind the one before is found from
// there on, so that paths in order cost about two comparisons each.
class ManifestWalk {
public:
	// Both must outlive it.
	ManifestWalk(ManifestSeek &manifests, const TreeRoot &manifest) : manifests_(manifests), manifest_(manifest) {}
	// Over what was found before; all but the path.  False if there is no such entry.
	bool find(std::string_view path, Entry &found);

private:
	bool find_in_leaf(std::string_view path);

	ManifestSeek &manifests_;
	const TreeRoot &manifest_;
	std::optional<ManifestSeek::Place> last_;
};

} // namespace dig

#endif
