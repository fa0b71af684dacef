// The kept states are walked from their roots, each node once, and the digest of each node and chunk goes
// to a sorter, which spills.  The sorted digests are then merged with all items of the chunk index, which
// are sorted, too.  What both have is needed, and the chunk index says where it lies; a second sorter
// puts these places into the order of the files.  So nothing grows with the store but files in the
// temporary directory: 16 bytes a needed item, and 12.
//
// The chunk index names one place for each item.  A second copy counts as not needed.
#include "libdig/verbs/reachability.h"

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

void LiveItems::locate()
{
	RunRecords there = ChunkIndex::all_items(store_.paths().chunk_index(), store_.roots(), *store_.layer_table(),
		[this](std::uint64_t generation) { return store_.layer(generation); });
	auto needed = items_.sorted();
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
		while (place && key() < *item && !key().is_same_item(*item))
			place = there();
		if ((!place || !key().is_same_item(*item)) && !item->may_be_staged())
			throw CorruptError("something that a state needs is in no layer that is whole; 'dig check' says what is "
				"damaged");
		for (; place && key().is_same_item(*item); place = there())
			spots_.put({place->generation, place->block, place->item});
	}
}

} // namespace dig
