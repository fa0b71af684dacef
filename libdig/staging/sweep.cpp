// What was staged and dropped again stays in the pack, since a pack only grows.  Before a commit
// publishes it, blocks that nobody needs are left out.
//
// What is needed follows from the staged records of the index: their chunk lists are walked down to
// the chunks.  This set can be millions of items, so it is an ItemSet, which spills.  What an add that
// was interrupted could have gone on with is not needed: a commit, and an add of something else, end
// the time in which it is kept.
//
// Blocks are the unit.  To copy single chunks would cost as much as to add them again, and the
// pack would be written twice.  So a block of chunks stays while half of it is needed; otherwise
// what is needed of it is appended again, and the block goes.  A block of nodes goes unless all of
// it is needed: a node that stays while its chunks went would look like stored content to the next
// add.
//
// Needed items are appended before any block goes, and the journal that names the others takes the
// place of the old one by rename.  So a crash leaves the old journal with everything, or the new
// one with all that is needed.
#include "libdig/staging/sweep.h"

#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/base/trace.h"
#include "libdig/chunking/block_compressor.h"
#include "libdig/os/process.h"
#include "libdig/staging/staged_items.h"
#include "libdig/watch/progress.h"

namespace dig {

constexpr std::uint64_t least_told = 1_MiB; // less is not worth a word

class NeededItems {
public:
	NeededItems(StagingWriter &writer, const Index &index)
		: store_(writer.store()), items_(writer.directory()), nodes_(store_.paths())
	{
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
			check_interrupted();
			const IndexRecord &record = *at.current();
			if (!index.is_staged(record) || record.is_removed || record.is_by_reference)
				continue;
			if (record.entry.form == ContentForm::chunk)
				items_.insert(ItemKind::chunk, record.entry.content);
			else if (record.entry.form == ContentForm::file_root)
				add_tree(content_root(record.entry));
		}
	}

	// Of a block's items.
	std::size_t count_in(const JournalBlock &block)
	{
		const ItemKind kind = static_cast<ItemKind>(block.record.kind);
		return static_cast<std::size_t>(std::count_if(block.items.begin(), block.items.end(),
			[&](const Digest &id) { return items_.contains(kind, id); }));
	}
	bool contains(ItemKind kind, const Digest &id) { return items_.contains(kind, id); }

private:
	void add_tree(const TreeRoot &root)
	{
		if (const std::optional<Buffer> stored = newly_needed(root.id))
			add_items(load_root([&](const Digest &) { return *stored; }, TreeKind::chunk_list, root));
	}
	void add_subtree(const NodeRef &ref)
	{
		if (const std::optional<Buffer> stored = newly_needed(ref.id))
			add_items(load_node([&](const Digest &) { return *stored; }, TreeKind::chunk_list, ref, {}));
	}
	void add_items(const Node &node)
	{
		check_interrupted();
		for (std::size_t i = 0; i < node.size(); i++)
			if (node.level() > 0)
				add_subtree(node.child(i));
			else
				items_.insert(ItemKind::chunk, node.chunk_id(i));
	}
	std::optional<Buffer> newly_needed(const Digest &id)
	{
		if (!items_.insert(ItemKind::node, id))
			return {};
		std::optional<Buffer> stored = nodes_.find(id);
		// A list that a layer holds may have chunks that had to be stored again.
		return stored ? std::move(stored) : store_.find_item_bytes(ItemKind::node, id);
	}

	Store &store_;
	ItemSet items_;
	StagedNodes nodes_;
};

static bool is_kept(const JournalBlock &block, std::size_t needed)
{
	if (block.record.kind == static_cast<std::uint8_t>(ItemKind::node))
		return needed == block.items.size();
	return needed > 0 && 2 * needed >= block.items.size();
}

// Appends a block's items again that are needed.
class BlockCopier {
public:
	explicit BlockCopier(StagingWriter &writer)
		: writer_(writer), compressor_(block_compressor_of(writer.store().settings()))
	{
	}

	void copy(const File &pack, const JournalBlock &from, NeededItems &needed)
	{
		const StoredBlock stored = read_stored_block(pack, from.record.offset, from.record.length);
		raw_.resize(stored.shape.raw_size);
		decode_block(stored, decompressor_, raw_, pack.name(), from.record.offset);
		if (stored.shape.sizes.size() != from.items.size())
			throw CorruptError("the items of a block do not match the journal", pack.name(), from.record.offset);
		ReadyBlock block{stored.shape.kind, Codec::none, {}, {}, {}};
		content_.clear();
		std::size_t at = 0;
		for (std::size_t i = 0; i < from.items.size(); at += stored.shape.sizes[i++]) {
			if (!needed.contains(block.kind, from.items[i]))
				continue;
			const Bytes item = Bytes(raw_).subspan(at, stored.shape.sizes[i]);
			if (item_digest(block.kind, item) != from.items[i])
				throw CorruptError("a block holds other content than the journal says", pack.name(),
					from.record.offset);
			append(content_, item);
			block.sizes.push_back(stored.shape.sizes[i]);
			block.digests.push_back(from.items[i]);
		}
		block.payload = content_;
		if (stored.shape.codec != Codec::none) {
			compressed_.resize(content_.size());
			const BlockPayload payload = compressor_.compress(content_, compressed_);
			block.codec = payload.codec;
			block.payload = payload.bytes;
		}
		writer_.append({&block, 1}, {});
	}

private:
	StagingWriter &writer_;
	BlockCompressor compressor_;
	Decompressor decompressor_;
	Buffer raw_, content_, compressed_;
};

static void tell_of_leftovers(std::uint64_t bytes, const std::vector<std::string> &paths)
{
	std::string of;
	if (!paths.empty())
		of = " of " + quote(paths[0]) + (paths.size() > 1 ? " and " + std::to_string(paths.size() - 1) + " more" : "");
	give_notice(size_text(static_cast<double>(bytes)) + " that an interrupted add" + of +
		" had stored are dropped; 'dig add' takes it from its beginning");
}

void sweep_pack(StagingWriter &writer, const Index &index)
{
	const Region region("sweep");
	const bool has_leftovers = writer.has_leftovers();
	std::vector<std::string> forgotten;
	while (!writer.checkpoints().empty()) {
		forgotten.push_back(writer.checkpoints()[0].file.entry.path);
		writer.forget_checkpoint(forgotten.back());
	}
	NeededItems needed(writer, index);
	BlockCopier copier(writer);
	StagedBlocks blocks(writer.store().paths());
	bool drops = !forgotten.empty();
	std::uint64_t dropped_bytes = 0; // of chunks, as they are stored
	while (const std::optional<JournalBlock> block = blocks.next()) {
		check_interrupted();
		const std::size_t count = needed.count_in(*block);
		if (is_kept(*block, count))
			continue;
		drops = true;
		if (block->kind() == ItemKind::chunk)
			dropped_bytes += block->record.length;
		if (count > 0)
			copier.copy(blocks.pack(), *block, needed);
	}
	if (drops)
		writer.keep_blocks([&](const JournalBlock &block) { return is_kept(block, needed.count_in(block)); });
	// Also when a commit that was killed has left it open.
	writer.close_gap();
	if (has_leftovers && (dropped_bytes >= least_told || !forgotten.empty()))
		tell_of_leftovers(dropped_bytes, forgotten);
}

} // namespace dig
