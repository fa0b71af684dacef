#include "libdig/gateway/manifest_seek.h"

#include <algorithm>

namespace dig {

// The first of these items with a path equal to path or behind it, or end.
static std::size_t lower_bound(const Node &node, std::size_t first, std::size_t end, std::string_view path)
{
	while (first < end) {
		const std::size_t middle = first + (end - first) / 2;
		if (node.path(middle) < path)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

// An item of an inner node has the last path below it, so that one way down is enough.
std::optional<ManifestSeek::Place> ManifestSeek::seek(const TreeRoot &manifest, std::string_view path)
{
	for (KeptNodes::NodePointer node = nodes_.root(TreeKind::manifest, manifest);;) {
		const std::size_t first = lower_bound(*node, 0, node->size(), path);
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

// Steps that double, and then a search between the last two.
bool ManifestWalk::find_in_leaf(std::string_view path)
{
	const Node &leaf = *last_->node;
	std::size_t first = 0, end = last_->number + 1;
	if (last_->path() < path) {
		std::size_t step = 1;
		for (first = end; first + step <= leaf.size() && leaf.path(first + step - 1) < path; step *= 2)
			first += step;
		end = std::min(first + step, leaf.size());
	}
	const std::size_t found = lower_bound(leaf, first, end, path);
	if (found == leaf.size() || leaf.path(found) != path)
		return false;
	last_->number = found;
	return true;
}

bool ManifestWalk::find(std::string_view path, Entry &found)
{
	if (!last_ || !find_in_leaf(path)) {
		std::optional<ManifestSeek::Place> place = manifests_.seek(manifest_, path);
		if (!place || place->path() != path)
			return false;
		last_ = std::move(place);
	}
	Cursor cursor(last_->node->item(last_->number), "a node");
	found.decode_over(cursor);
	return true;
}

} // namespace dig
