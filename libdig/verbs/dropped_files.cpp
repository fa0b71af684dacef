#include "libdig/verbs/dropped_files.h"

#include "libdig/chunking/block_compressor.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/staging/node_blocks.h"
#include "libdig/staging/staged_items.h"

namespace dig {

std::optional<DroppedFiles::Before> DroppedFiles::before() const
{
	const std::optional<Buffer> file = find_whole_file(note(), max_layer_table_size);
	if (!file)
		return {};
	if (file->size() < 8)
		return {};
	try {
		Before before;
		const Bytes table = Bytes(*file).first(file->size() - 8);
		before.generations = load<std::uint64_t>(file->data() + table.size());
		before.table = LayerTable::decode(table, note());
		return before;
	} catch (const CorruptError &) {
		// Then nothing can be undone; it blocks nobody.
		return {};
	}
}

void DroppedFiles::begin(const Before &before) const
{
	make_directory(paths_.dropped());
	sync_directory(paths_.store);
	Buffer file = before.table.encoded();
	put_u64(file, before.generations);
	publish_file(note(), file);
}

void DroppedFiles::set_aside(const std::string &name) const
{
	make_directory(paths_.damaged());
	rename_file(paths_.layers() + "/" + name, paths_.damaged() + "/" + name);
	sync_directory(paths_.damaged());
	sync_directory(paths_.layers());
}

void DroppedFiles::take_out(const std::string &name) const
{
	make_directory(paths_.dropped());
	rename_file(paths_.layers() + "/" + name, paths_.dropped() + "/" + name);
}

void DroppedFiles::put_back(const std::string &name) const
{
	rename_file(paths_.dropped() + "/" + name, paths_.layers() + "/" + name);
}

// A power cut between the two may leave both names or none: the new name comes first.
void DroppedFiles::sync() const
{
	if (find_stat(paths_.dropped()))
		sync_directory(paths_.dropped());
	sync_directory(paths_.layers());
}

std::vector<std::string> DroppedFiles::names() const
{
	std::vector<std::string> names;
	if (find_stat(paths_.dropped()))
		for (const std::string &name : names_in(paths_.dropped()))
			if (name.ends_with(".dig") || name.ends_with(".merged"))
				names.push_back(name);
	return names;
}

std::uint64_t DroppedFiles::bytes() const
{
	std::uint64_t bytes = 0;
	for (const std::string &name : names())
		if (const auto stat = find_stat(paths_.dropped() + "/" + name))
			bytes += stat->size;
	return bytes;
}

void DroppedFiles::forget() const
{
	if (remove_file_if_there(note()))
		sync_directory(paths_.dropped());
}

// The note goes first: without it nothing can be undone any more.
void DroppedFiles::remove() const
{
	if (!find_stat(paths_.dropped()))
		return;
	remove_abandoned(paths_.dropped());
	forget();
	for (const std::string &name : names())
		remove_file_if_there(paths_.dropped() + "/" + name);
	sync_directory(paths_.dropped());
}

// --- what is staged ---------------------------------------------------------------------------

class Rescue {
public:
	Rescue(Store &store, StagingWriter &writer)
		: store_(store), writer_(writer), nodes_(writer), compressor_(block_compressor_of(store.settings())),
		  seen_(writer.directory()), staged_(store.paths())
	{
		const DroppedFiles files(store.paths());
		for (const std::string &name : files.names())
			paths_.push_back(store.paths().dropped() + "/" + name);
	}

	// False when there was nothing to rescue.
	bool run(const Index &index)
	{
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
			const IndexRecord &record = *at.current();
			if (!index.is_staged(record) || record.is_removed || record.is_by_reference)
				continue;
			path_ = record.entry.path;
			try {
				if (record.entry.form == ContentForm::chunk)
					secure(ItemKind::chunk, record.entry.content);
				else if (record.entry.form == ContentForm::file_root)
					secure(ItemKind::node, record.entry.content);
			} catch (const NowhereError &) {
				if (record.has_no_file)
					throw;
				// The commit reads it from the work tree again.
				IndexRecord again = record;
				again.is_by_reference = true;
				again.has_stat = false;
				update_.put(again);
			}
		}
		// Nodes that no entry names yet.
		path_.clear();
		StagedBlocks blocks(store_.paths());
		while (const std::optional<JournalBlock> block = blocks.next())
			if (block->kind() == ItemKind::node)
				for (const Digest &id : block->items)
					if (const auto stored = staged_.find(id); stored && is_list(*stored))
						secure(ItemKind::node, id);
		nodes_.end_block();
		nodes_.append({}, {});
		const bool is_any = writer_.appended_bytes() > 0 || !update_.is_empty();
		writer_.finish(update_);
		return is_any;
	}

private:
	struct NowhereError : Error {
		using Error::Error;
	};

	static bool is_list(const Buffer &stored)
	{
		return !stored.empty() && stored[0] == static_cast<std::uint8_t>(TreeKind::chunk_list);
	}

	void secure(ItemKind kind, const Digest &id)
	{
		check_interrupted();
		if (id == empty_root(TreeKind::chunk_list) || !seen_.insert(kind, id))
			return;
		if (kind == ItemKind::chunk) {
			if (is_there(kind, id))
				return;
			const Buffer bytes = read_dropped(kind, id);
			if (writer_.claim(kind, id))
				take_chunk(id, bytes);
			return;
		}
		std::optional<Buffer> stored = staged_.find(id);
		if (!stored && !(stored = store_.find_item_bytes(kind, id))) {
			stored = read_dropped(kind, id);
			nodes_.add(id, *stored);
		}
		const Node node = Node::parse(std::move(*stored), TreeKind::chunk_list, &id, "node " + to_hex(id));
		for (std::size_t i = 0; i < node.size(); i++)
			secure(node.level() > 0 ? ItemKind::node : ItemKind::chunk,
				node.level() > 0 ? node.child(i).id : node.chunk_id(i));
	}

	// What was not asked for before is claimed only when it can be read.
	bool is_there(ItemKind kind, const Digest &id) { return store_.holds(kind, id) || writer_.has_in_pack(kind, id); }

	void take_chunk(const Digest &id, const Buffer &bytes)
	{
		Buffer room(bytes.size());
		const BlockPayload payload = compressor_.compress(bytes, room);
		const ReadyBlock block{ItemKind::chunk, payload.codec, {static_cast<std::uint32_t>(bytes.size())}, {id},
			payload.bytes};
		writer_.append({&block, 1}, {});
	}

	Buffer read_dropped(ItemKind kind, const Digest &id)
	{
		for (const std::string &path : paths_) {
			try {
				const Layer layer(path);
				const std::optional<Layer::Place> place = layer.find(kind, id);
				if (!place)
					continue;
				const StoredBlock block = layer.read_block(place->block);
				Buffer raw(block.shape.raw_size);
				Decompressor decompressor;
				decode_block(block, decompressor, raw, layer.name(), 0);
				std::size_t at = 0;
				for (std::size_t i = 0; i < place->item && i < block.shape.sizes.size(); i++)
					at += block.shape.sizes[i];
				if (place->item >= block.shape.sizes.size())
					continue;
				const Bytes item = Bytes(raw).subspan(at, block.shape.sizes[place->item]);
				if (item_digest(kind, item) == id)
					return Buffer(item.begin(), item.end());
			} catch (const CorruptError &) {
				// Another file may have it.
			}
		}
		throw NowhereError((path_.empty() ? "content that was stored" : "the content of " + quote(path_)) +
			" relies on states that 'dig gc' has dropped meanwhile; add it again");
	}

	Store &store_;
	StagingWriter &writer_;
	NodeBlocks nodes_;
	BlockCompressor compressor_;
	ItemSet seen_;
	StagedNodes staged_;
	IndexUpdate update_{writer_.directory()};
	std::vector<std::string> paths_;
	std::string path_;
};

void rescue_staged(Store &store, StagingWriter &writer)
{
	for (bool is_done = false; !is_done;) {
		const Index index = Index::open(writer.directory());
		if (Rescue(store, writer).run(index))
			continue;
		// Others may have staged something meanwhile.
		writer.locked([&] {
			is_done = Index::open(writer.directory()).state().last_sequence == index.state().last_sequence;
			if (is_done)
				writer.mark_lacking(false);
		});
	}
}

} // namespace dig
