// An item is lost if all copies of it are damaged or gone.  The chunk index may still name what a lost file
// had, so its word is checked where it names such a file.
#include "libdig/verbs/lost_items.h"

#include <algorithm>

#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t most_hurt_entries = 100000;
constexpr std::size_t check_memory = 16_MiB;

void LostItems::note_lost(ItemKind kind, const Digest &digest)
{
	if (lost_.insert(kind, digest))
		lost_count_++;
}

void LostItems::look_for_damage(Work &work, const std::function<void(const std::string &)> &notice)
{
	const std::shared_ptr<const LayerTable> table = store_.layer_table();
	work.begin_stage("check");
	for (std::uint64_t i = 1; i <= store_.roots().size(); i = table->home(i) + 1) {
		const std::uint64_t home = table->home(i);
		std::shared_ptr<Layer> layer;
		try {
			layer = store_.layer(home);
			layer->check_structure();
			look_at_file(home, work);
		} catch (const CorruptError &error) {
			// What can be opened has content that no other file may have.
			if (layer)
				broken_homes_.push_back(home);
			else
				hurt_homes_[home].is_lost = true;
			if (notice)
				notice(error.what());
		}
	}
}

void LostItems::look_at_file(std::uint64_t home, Work &work)
{
	const std::shared_ptr<Layer> layer = store_.layer(home);
	std::vector<std::uint32_t> damaged;
	bool is_hurt = false;
	layer->check_blocks(worker_threads(store_.settings()), check_memory,
		[&](std::uint32_t block, std::span<const ChunkRecord> items, const std::string &) {
			damaged.push_back(block);
			for (const ChunkRecord &item : items) {
				const ItemKind kind = static_cast<ItemKind>(item.kind);
				const ItemPlace place{home, {block, item.item}};
				if (store_.is_good_copy(kind, item.digest, place) ||
					store_.has_other_copy(kind, item.digest, place))
					continue;
				note_lost(kind, item.digest);
				is_hurt = true;
			}
		}, [&](std::uint64_t bytes) {
			check_interrupted();
			work.bytes.add(bytes);
		}, work);
	std::sort(damaged.begin(), damaged.end());
	if (is_hurt)
		hurt_homes_[home].blocks = std::move(damaged);
}

// Nothing, too, if a layer could not be asked.
static std::optional<ItemPlace> find_place(Store &store, ItemKind kind, const Digest &digest)
{
	try {
		return store.find_item(kind, digest);
	} catch (const CorruptError &) {
		return {};
	}
}

// Whether no layer has it.  What a lost file had, the chunk index may still name.
bool LostItems::is_missing(ItemKind kind, const Digest &digest)
{
	if (found_.has(kind, digest))
		return false;
	if (lost_.contains(kind, digest))
		return true;
	const std::optional<ItemPlace> place = find_place(store_, kind, digest);
	const auto hurt = place ? hurt_homes_.find(store_.layer_table()->home(place->generation)) : hurt_homes_.end();
	if (place && (hurt == hurt_homes_.end() || !hurt->second.is_lost))
		return false;
	try {
		if (store_.find_in_layers(kind, digest))
			return false;
	} catch (const Error &) {
		// Of those that can be read, none has it.
	}
	return true;
}

std::optional<Buffer> LostItems::find_node(const Digest &id)
{
	if (std::optional<Buffer> node = found_.find(ItemKind::node, id))
		return node;
	if (is_missing(ItemKind::node, id))
		return {};
	try {
		return store_.find_item_bytes(ItemKind::node, id);
	} catch (const CorruptError &) {
		return {};
	}
}

// Throws a CorruptError for a node that is lost.
NodeSource LostItems::nodes()
{
	return [this](const Digest &id) -> Buffer {
		if (std::optional<Buffer> node = find_node(id))
			return std::move(*node);
		throw CorruptError("node " + to_hex(id) + " is lost");
	};
}

void LostItems::walk_states()
{
	hurt_entries_.clear();
	ItemSet seen(directory_);
	for (std::uint64_t i = 1; i <= store_.roots().size(); i++) {
		if (store_.layer_table()->is_dropped(i))
			continue;
		try {
			walk(TreeKind::manifest, store_.state(i).header.manifest_root, seen);
		} catch (const CorruptError &) {
			// Its header is lost.
		}
	}
}

// False when something in it is lost.
bool LostItems::walk(TreeKind kind, const Digest &id, ItemSet &seen)
{
	check_interrupted();
	if (id == empty_root(kind) || !seen.insert(ItemKind::node, id))
		return true;
	std::optional<Buffer> stored = find_node(id);
	if (!stored) {
		note_lost(ItemKind::node, id);
		return false;
	}
	const Node node = Node::parse(std::move(*stored), kind, &id, "node " + to_hex(id));
	bool is_whole = true;
	for (std::size_t i = 0; i < node.size(); i++) {
		if (node.level() > 0)
			is_whole = walk(kind, node.child(i).id, seen) && is_whole;
		else if (kind == TreeKind::chunk_list)
			is_whole = has_chunk(node.chunk_id(i)) && is_whole;
		else
			look_at_entry(node.entry(i), seen);
	}
	return is_whole;
}

bool LostItems::has_chunk(const Digest &id)
{
	if (!is_missing(ItemKind::chunk, id))
		return true;
	note_lost(ItemKind::chunk, id);
	return false;
}

void LostItems::look_at_entry(const Entry &entry, ItemSet &seen)
{
	const bool is_whole = entry.form == ContentForm::none ||
		(entry.form == ContentForm::chunk ? has_chunk(entry.content)
						   : walk(TreeKind::chunk_list, entry.content, seen));
	if (!is_whole && hurt_entries_.size() < most_hurt_entries)
		hurt_entries_.push_back({entry.path, entry.size});
}

void LostItems::take(ItemKind kind, const Digest &digest, Bytes bytes)
{
	if (!is_missing(kind, digest))
		return;
	note_lost(kind, digest);
	found_.put(kind, digest, bytes);
}

void LostItems::collect_wanted(TreeKind kind, const Digest &id, ItemSet &seen, Wanted &wanted)
{
	check_interrupted();
	if (id == empty_root(kind) || !seen.insert(ItemKind::node, id) || wanted.size() >= FoundItems::most)
		return;
	std::optional<Buffer> stored = find_node(id);
	if (!stored) {
		wanted.emplace_back(ItemKind::node, id);
		return;
	}
	const auto chunk = [&](const Digest &digest) {
		if (is_missing(ItemKind::chunk, digest) && seen.insert(ItemKind::chunk, digest))
			wanted.emplace_back(ItemKind::chunk, digest);
	};
	const Node node = Node::parse(std::move(*stored), kind, &id, "node " + to_hex(id));
	for (std::size_t i = 0; i < node.size(); i++) {
		if (node.level() > 0) {
			collect_wanted(kind, node.child(i).id, seen, wanted);
		} else if (kind == TreeKind::chunk_list) {
			chunk(node.chunk_id(i));
		} else if (const Entry entry = node.entry(i); entry.form == ContentForm::file_root) {
			collect_wanted(TreeKind::chunk_list, entry.content, seen, wanted);
		} else if (entry.form == ContentForm::chunk) {
			chunk(entry.content);
		}
	}
}

std::vector<std::pair<ItemKind, Digest>> LostItems::wanted()
{
	std::vector<std::pair<ItemKind, Digest>> wanted;
	ItemSet seen(directory_);
	for (std::uint64_t i = 1; i <= store_.roots().size(); i++)
		if (!store_.layer_table()->is_dropped(i))
			try {
				collect_wanted(TreeKind::manifest, store_.state(i).header.manifest_root, seen, wanted);
			} catch (const CorruptError &) {
				// Its header is lost.
			}
	return wanted;
}

} // namespace dig
