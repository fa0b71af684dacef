#include "libdig/verbs/incoming_layer.h"

#include "libdig/format/tree_difference.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t check_memory = 24_MiB;

IncomingLayer::IncomingLayer(Store &store, const Layer &layer, std::uint64_t last)
	: store_(store), layer_(layer), last_(last), lists_(nodes(), temporary_directory())
{
}

void IncomingLayer::check_blocks(Work &work)
{
	work.begin_stage("check", {.bytes = layer_.file_size()});
	layer_.check_structure();
	layer_.check_blocks(worker_threads(store_.settings()), check_memory,
		[](std::uint32_t, std::span<const ChunkRecord>, const std::string &problem) {
			throw CorruptError(problem);
		},
		[&](std::uint64_t bytes) {
			check_interrupted();
			work.bytes.add(bytes);
		}, work);
}

void IncomingLayer::require(const TreeRoot &before, const TreeRoot &after)
{
	diff_manifests(before, after, nodes(), [&](const Entry *, const Entry *entry) {
		check_interrupted();
		if (entry)
			require_entry(*entry);
	});
}

Buffer IncomingLayer::read_node(const Digest &id)
{
	const std::optional<Layer::Place> place = layer_.find(ItemKind::node, id);
	if (!place && last_ < store_.roots().size() && !find_here(ItemKind::node, id))
		throw CorruptError("node " + to_hex(id) + ", which the states need, is neither in the file nor in the store");
	if (!place)
		return store_.read_item(ItemKind::node, id);
	if (!decoded_ || decoded_number_ != place->block) {
		const StoredBlock stored = layer_.read_block(place->block);
		DecodedBlock block{};
		block.kind = stored.shape.kind;
		block.raw.resize(stored.shape.raw_size);
		std::uint32_t end = 0;
		for (const std::uint32_t size : stored.shape.sizes)
			block.ends.push_back(end += size);
		decode_block(stored, decompressor_, block.raw, layer_.name(), layer_.block(place->block).offset);
		decoded_ = std::move(block);
		decoded_number_ = place->block;
	}
	const std::uint32_t begin = place->item > 0 ? decoded_->ends.at(place->item - 1) : 0;
	const Bytes item = Bytes(decoded_->raw).subspan(begin, decoded_->ends.at(place->item) - begin);
	return Buffer(item.begin(), item.end());
}

std::optional<ItemPlace> IncomingLayer::find_here(ItemKind kind, const Digest &id)
{
	const std::optional<ItemPlace> found = store_.find_in_layers(kind, id);
	if (!found || found->generation <= last_)
		return found;
	// A later layer has it.  Others may, too.
	const std::shared_ptr<const LayerTable> table = store_.layer_table();
	for (std::uint64_t i = last_; i > 0; i--)
		if (table->home(i) == i)
			if (const std::optional<Layer::Place> place = store_.layer(i)->find(kind, id))
				return ItemPlace{i, *place};
	return {};
}

void IncomingLayer::require_entry(const Entry &entry)
{
	if (entry.form == ContentForm::chunk)
		require_chunk(entry.content, entry.size);
	else if (entry.form == ContentForm::file_root)
		lists_.visit(TreeKind::chunk_list, content_root(entry), [this](const Node &node) {
			for (std::size_t i = 0; i < node.size(); i++)
				require_chunk(node.chunk_id(i), node.chunk_size(i));
		});
}

void IncomingLayer::require_chunk(const Digest &id, std::uint64_t size)
{
	std::uint64_t found = 0;
	if (const std::optional<Layer::Place> place = layer_.find(ItemKind::chunk, id))
		found = layer_.item_size(*place);
	else if (const std::optional<ItemPlace> own = find_here(ItemKind::chunk, id))
		found = store_.layer(own->generation)->item_size(own->place);
	else
		throw CorruptError("chunk " + to_hex(id) +
			", which the states need, is neither in the file nor in the store");
	if (found != size)
		throw CorruptError("chunk " + to_hex(id) + " has another size than the states say");
}

} // namespace dig
