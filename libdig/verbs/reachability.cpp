// The kept states are walked from their roots, each node once, and the digest of each node and chunk goes
// to a sorter, which spills.  The sorted digests are then merged with all items of the chunk index, which
// are sorted, too.  What both have is needed, and the chunk index says where it lies; a second sorter
// puts these places into the order of the files.  So nothing grows with the store but files in the
// temporary directory: 16 bytes a needed item, and 12.
//
// The chunk index names one place for each item.  A second copy counts as not needed, but a copy that is
// good must not go because of one that is damaged.  So before a file with second copies shrinks, the copies
// that count are read.
#include "libdig/verbs/reachability.h"

#include <algorithm>
#include <utility>

#include "libdig/os/process.h"
#include "libdig/staging/journal_state.h"
#include "libdig/staging/staged_items.h"

namespace dig {

constexpr std::size_t sorter_memory = 8_MiB;

static std::uint64_t big_endian(const std::uint8_t *bytes)
{
	std::uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

LiveItem::LiveItem(const Digest &digest, bool may_be_staged)
	: high(big_endian(digest.bytes.data())),
	  low((big_endian(digest.bytes.data() + 8) & ~std::uint64_t(1)) | std::uint64_t(may_be_staged))
{
}

LiveItems::LiveItems(Store &store, const std::string &directory)
	: store_(store), directory_(directory), seen_(directory), items_(directory, sorter_memory),
	  spots_(directory, sorter_memory)
{
}

void LiveItems::add(ItemKind kind, const Digest &id)
{
	if (take_)
		return take_(kind, id);
	if (is_excluding_)
		return excluded_->put(LiveItem(id));
	items_.put(LiveItem(id, is_staged_));
}

Buffer LiveItems::read_node(const Digest &id)
{
	if (is_staged_)
		if (std::optional<Buffer> stored = staged_node_(id))
			return std::move(*stored);
	return store_.read_next_item(ItemKind::node, id, last_node_);
}

void LiveItems::visit_child(TreeKind kind, const Digest &id)
{
	if (id == empty_root(kind) || !seen_.insert(ItemKind::node, id))
		return;
	add(ItemKind::node, id);
	visit(kind, id, read_node(id));
}

void LiveItems::visit(TreeKind kind, const Digest &id, Buffer stored)
{
	check_interrupted();
	const Node node = Node::parse(std::move(stored), kind, &id, "node " + to_hex(id));
	for (std::size_t i = 0; i < node.size(); i++) {
		if (node.level() > 0)
			visit_child(kind, node.child(i).id);
		else if (kind == TreeKind::manifest)
			visit_entry(node.entry(i));
		else
			add(ItemKind::chunk, node.chunk_id(i));
	}
}

void LiveItems::visit_entry(const Entry &entry)
{
	if (entry.form == ContentForm::chunk)
		add(ItemKind::chunk, entry.content);
	else if (entry.form == ContentForm::file_root)
		visit_child(TreeKind::chunk_list, entry.content);
}

void LiveItems::add_state(std::uint64_t generation)
{
	is_staged_ = false;
	visit_child(TreeKind::manifest, store_.manifest(generation).id);
}

void LiveItems::exclude_state(std::uint64_t generation)
{
	begin_excluding();
	add_state(generation);
	is_excluding_ = false;
}

void LiveItems::exclude_staged(const Index &index)
{
	begin_excluding();
	add_staged(index);
	is_excluding_ = false;
}

void LiveItems::begin_excluding()
{
	if (!excluded_)
		excluded_.emplace(directory_, sorter_memory);
	is_excluding_ = true;
}

void LiveItems::add_staged(const Index &index)
{
	StagedNodes nodes(store_.paths());
	staged_node_ = [&](const Digest &id) { return nodes.find(id); };
	is_staged_ = true;
	StagedBlocks blocks(store_.paths());
	while (const std::optional<JournalBlock> block = blocks.next()) {
		if (block->kind() != ItemKind::node)
			continue;
		for (const Digest &id : block->items) {
			std::optional<Buffer> stored = nodes.find(id);
			// Manifests come into the pack by a commit, which is not running.
			if (stored && !stored->empty() && (*stored)[0] == static_cast<std::uint8_t>(TreeKind::chunk_list) &&
				seen_.insert(ItemKind::node, id))
				visit(TreeKind::chunk_list, id, std::move(*stored));
		}
	}
	if (index.may_have_staged())
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next())
			if (index.is_staged(*at.current()) && !at.current()->is_removed && !at.current()->is_by_reference)
				visit_entry(at.current()->entry);
	visit_checkpoints(index);
	is_staged_ = false;
	staged_node_ = nullptr;
}

void LiveItems::visit_checkpoints(const Index &index)
{
	const std::optional<File> journal = find_journal(store_.paths().staging() + "/journal");
	if (!journal)
		return;
	const JournalState state = JournalState::behind(*journal, index.state());
	for (const JournalCheckpoint &checkpoint : state.checkpoints())
		TreeBuilder::resume(checkpoint.tree, journal->name(), [](const Digest &, Bytes) {})
			.each_waiting([&](int level, const Digest &id) {
				level > 0 ? visit_child(TreeKind::chunk_list, id) : add(ItemKind::chunk, id);
			});
}

void LiveItems::each_new(std::uint64_t generation, const Take &take)
{
	take_ = take;
	add_state(generation);
}

void LiveItems::each_newly_staged(const Index &index, const Take &take)
{
	take_ = take;
	add_staged(index);
}

RunRecords LiveItems::all_items() const
{
	Store &store = store_;
	return ChunkIndex::all_items(store.paths().chunk_index(), store.roots(), *store.layer_table(),
		[&store](std::uint64_t generation) { return store.layer(generation); });
}

void LiveItems::locate()
{
	RunRecords there = all_items();
	auto needed = items_.sorted();
	RecordSorter<LiveItem>::Records excluded;
	std::optional<LiveItem> unwanted;
	if (excluded_) {
		excluded = excluded_->sorted();
		unwanted = excluded();
	}
	std::optional<RunRecord> place = there();
	const auto key = [&] { return LiveItem(place->digest); };
	std::optional<LiveItem> last;
	std::uint64_t passed = 0;
	while (const std::optional<LiveItem> item = needed()) {
		if (++passed % 65536 == 0)
			check_interrupted();
		// Of equal ones, those that must be there come first.
		if (last && last->is_same_item(*item))
			continue;
		last = item;
		while (unwanted && *unwanted < *item && !unwanted->is_same_item(*item))
			unwanted = excluded();
		if (unwanted && unwanted->is_same_item(*item))
			continue;
		while (place && key() < *item && !key().is_same_item(*item))
			place = there();
		if ((!place || !key().is_same_item(*item)) && !item->may_be_staged())
			throw CorruptError("something that a state needs is in no layer that is whole; 'dig check' says what is "
				"damaged");
		for (; place && key().is_same_item(*item); place = there())
			spots_.put({place->generation, place->block, place->item});
	}
}

// --- second copies ----------------------------------------------------------------------------

struct LiveItems::Copy {
	LiveItem key;
	ItemSpot spot;

	bool operator<(const Copy &other) const { return key < other.key; }
};

// A needed item with two copies; sorted by the one that counts.
struct LiveItems::Doubt {
	ItemSpot counts, second;
	Digest digest;
	std::uint8_t kind;

	bool operator<(const Doubt &other) const { return counts < other.counts; }
};

void LiveItems::compare_copies(RecordSorter<Copy> &copies, RecordSorter<Doubt> &doubts)
{
	RunRecords there = all_items();
	auto needed = items_.sorted();
	auto second = copies.sorted();
	std::optional<LiveItem> item = needed();
	std::optional<Copy> copy = second();
	for (std::optional<RunRecord> place = there(); place && copy && item; place = there()) {
		const LiveItem key(place->digest);
		while (item && *item < key && !item->is_same_item(key))
			item = needed();
		while (copy && copy->key < key && !copy->key.is_same_item(key))
			copy = second();
		if (!item || !item->is_same_item(key))
			continue;
		const ItemSpot spot{place->generation, place->block, place->item};
		for (; copy && copy->key.is_same_item(key); copy = second())
			if (copy->spot != spot)
				doubts.put({spot, copy->spot, place->digest, place->kind});
	}
}

bool LiveItems::is_good(const Doubt &doubt, const ItemSpot &spot)
{
	return store_.is_good_copy(static_cast<ItemKind>(doubt.kind), doubt.digest,
		{spot.generation, {spot.block, spot.item}});
}

void LiveItems::prefer_good_copies(const std::vector<std::uint64_t> &homes)
{
	RecordSorter<Copy> copies(directory_, sorter_memory / 2);
	for (const std::uint64_t home : homes) {
		const std::shared_ptr<Layer> layer = store_.layer(home);
		RunRecords records = layer->records(home);
		while (const std::optional<RunRecord> record = records())
			copies.put({LiveItem(record->digest), {record->generation, record->block, record->item}});
	}
	RecordSorter<Doubt> doubts(directory_, sorter_memory / 2);
	compare_copies(copies, doubts);
	auto doubt = doubts.sorted();
	std::optional<ItemSpot> last;
	bool is_last_good = false;
	while (const std::optional<Doubt> one = doubt()) {
		check_interrupted();
		if (last != one->counts)
			is_last_good = is_good(*one, one->counts);
		last = one->counts;
		if (is_last_good || !is_good(*one, one->second))
			continue;
		damaged_.push_back(one->counts);
		substitutes_.push_back(one->second);
		is_last_good = true;
	}
	std::sort(damaged_.begin(), damaged_.end());
	std::sort(substitutes_.begin(), substitutes_.end());
}

RecordSorter<ItemSpot>::Records LiveItems::spots()
{
	auto spots = spots_.sorted();
	if (damaged_.empty())
		return spots;
	return [this, spots, spot = spots(), next = substitutes_.begin()]() mutable -> std::optional<ItemSpot> {
		while (spot && std::binary_search(damaged_.begin(), damaged_.end(), *spot))
			spot = spots();
		if (next == substitutes_.end() || (spot && !(*next < *spot))) {
			if (spot && next != substitutes_.end() && *next == *spot)
				++next;
			return std::exchange(spot, spot ? spots() : std::nullopt);
		}
		return *next++;
	};
}

} // namespace dig
