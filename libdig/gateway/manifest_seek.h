// Looks up paths in manifests, where many look-ups come one after the other: nodes are kept parsed and
// checked, bounded in bytes.
#ifndef DIG_MANIFEST_SEEK_H
#define DIG_MANIFEST_SEEK_H

#include <memory>
#include <mutex>
#include <unordered_map>

#include "libdig/store/store.h"

namespace dig {

// Any thread may call.
class ManifestSeek {
public:
	ManifestSeek(Store &store, std::size_t capacity) : store_(store), capacity_(capacity) {}

	// An entry, with the node that it stands in.
	struct Place {
		std::shared_ptr<const Node> node;
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
	std::shared_ptr<const Node> kept(const Digest &id);
	std::shared_ptr<const Node> keep(const Digest &id, Node node);
	std::shared_ptr<const Node> root(const TreeRoot &manifest);
	std::shared_ptr<const Node> child(const Node &parent, std::size_t number);

	using Nodes = std::unordered_map<Digest, std::shared_ptr<const Node>, DigestHash>;
	Store &store_;
	std::size_t capacity_;
	std::mutex mutex_;
	// What was used lately, and what was before that: when the first is half full, it becomes the second.
	Nodes young_, old_;
	std::size_t young_size_ = 0;
};

} // namespace dig

#endif
