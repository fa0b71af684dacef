// Puts a merged layer in the place of the files that it was made of.
#ifndef DIG_LAYER_SWAP_H
#define DIG_LAYER_SWAP_H

#include "libdig/os/publish.h"
#include "libdig/store/store.h"

namespace dig {

class LayerSwap {
public:
	LayerSwap(Store &store, const MergedLayer &merged);
	// Removes a file that was published and that the table does not name.
	~LayerSwap();
	LayerSwap(const LayerSwap &) = delete;

	// The file becomes durable under its name.  Nothing names it yet.
	void publish_file(PublishedFile &file);
	// Reads all of it again, and compares it; CorruptError.  Takes about so much memory.
	void check(std::size_t memory) const;
	// Whether the generation lies in the files that go.
	bool covers(std::uint64_t generation) const;
	// Whether the new file has an item.
	bool has(ItemKind kind, const Digest &id) const;
	// The table names the file.  Under the store's lock.
	void replace(LayerTable &table);
	// The chunk index follows.  Under the store's lock.
	void follow();

private:
	Store &store_;
	MergedLayer merged_;
	std::string path_;
	std::unique_ptr<Layer> layer_;
	bool is_published_ = false, is_named_ = false;
};

// Puts a table with the next epoch in place, under the store's lock.  The first one of a store makes
// known in its format that there is one, so that an older dig leaves the store alone.
void publish_table(const StorePaths &paths, LayerTable &table);

// The table gets the file that Store::has_adopted() tells of, if there is one.  Under the store's lock, and before
// any new generation.
void settle_adopted(Store &store);

// Removes for good what the last gc has dropped; a notice and false when adds that began before it are still
// running.  What is staged and relies on it comes into the pack before.  Takes the store's lock.
bool purge_dropped(const StorePaths &paths, const std::function<void(const std::string &)> &notice);
// The same in the middle of a gc, if no add is running at all; false otherwise.
bool purge_if_nobody_adds(Store &store);

} // namespace dig

#endif
