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

} // namespace dig

#endif
