#include "libdig/gateway/manifest_seek.h"

#include <algorithm>

namespace dig {

std::shared_ptr<const Node> ManifestSeek::kept(const Digest &id)
{
	std::lock_guard guard(mutex_);
	if (const auto found = young_.find(id); found != young_.end())
		return found->second;
	const auto found = old_.find(id);
	if (found == old_.end())
		return nullptr;
	std::shared_ptr<const Node> node = found->second;
	young_size_ += node->stored().size();
	young_.emplace(id, node);
	return node;
}

std::shared_ptr<const Node> ManifestSeek::keep(const Digest &id, Node node)
{
	auto shared = std::make_shared<const Node>(std::move(node));
	std::lock_guard guard(mutex_);
	if (young_size_ >= capacity_ / 2) {
		old_ = std::move(young_);
		young_.clear();
		young_size_ = 0;
	}
	if (young_.emplace(id, shared).second)
		young_size_ += shared->stored().size();
	return shared;
}

std::shared_ptr<const Node> ManifestSeek::root(const TreeRoot &manifest)
{
	if (std::shared_ptr<const Node> node = kept(manifest.id))
		return node;
	return keep(manifest.id, load_root(store_.nodes(), TreeKind::manifest, manifest));
}

// Of several trees that share a node, each has to agree with it.
std::shared_ptr<const Node> ManifestSeek::child(const Node &parent, std::size_t number)
{
	const NodeRef ref = parent.child(number);
	const std::string_view before = number > 0 ? parent.path(number - 1) : std::string_view();
	if (std::shared_ptr<const Node> node = kept(ref.id))
		if (node->level() == ref.level && node->leaves() == ref.leaves && node->bytes() == ref.bytes &&
			node->path(node->size() - 1) == ref.last_path && (before.empty() || node->path(0) > before))
			return node;
	return keep(ref.id, load_node(store_.nodes(), TreeKind::manifest, ref, before));
}

// An item of an inner node has the last path below it, so that one way down is enough.
std::optional<ManifestSeek::Place> ManifestSeek::seek(const TreeRoot &manifest, std::string_view path)
{
	for (std::shared_ptr<const Node> node = root(manifest);;) {
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
		node = child(*node, first);
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
