#include "libdig/gateway/manifest_seek.h"

namespace dig {

// An item of an inner node has the last path below it, so that one way down is enough.
std::optional<ManifestSeek::Place> ManifestSeek::seek(const TreeRoot &manifest, std::string_view path)
{
	for (KeptNodes::NodePointer node = nodes_.root(TreeKind::manifest, manifest);;) {
		std::size_t first = 0, end = node->size();
		while (first < end) {
			const std::size_t middle = first + (end - first) / 2;
			if (node->path(middle) < path)
				first = middle + 1;
			else
				end = middle;
		}
		if (first == node->size())
			return {};
		if (node->level() == 0)
			return Place{std::move(node), first};
		node = nodes_.child(*node, first);
	}
}

std::optional<Entry> ManifestSeek::find(const TreeRoot &manifest, std::string_view path)
{
	const std::optional<Place> place = seek(manifest, path);
	if (!place || place->path() != path)
		return {};
	return place->entry();
}

bool ManifestSeek::is_directory(const TreeRoot &manifest, std::string_view path)
{
	const std::string below = std::string(path) + '/';
	const std::optional<Place> place = seek(manifest, below);
	if (place && place->path().starts_with(below))
		return true;
	const std::optional<Entry> entry = find(manifest, path);
	return entry && entry->kind == EntryKind::empty_directory;
}

} // namespace dig
