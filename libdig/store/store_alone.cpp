// A layer file that stands alone, read as if it were a store.
#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/store/store.h"

namespace dig {

constexpr std::size_t cache_of_index = 12_MiB;

Store::Store(std::shared_ptr<Layer> alone)
	: settings_(load_settings({})), cache_(settings_.performance.chunk_cache_size),
	  node_cache_(settings_.performance.file_cache_size), index_room_(std::make_shared<IndexRoom>(cache_of_index)),
	  alone_(std::move(alone))
{
	if (alone_->is_pack())
		throw Error(quote(alone_->name()) + " is a pack, which has content and no states");
	if (alone_->is_elsewhere())
		throw Error(quote(alone_->name()) + " has no content: it lies in a remote");
	const LayerHeader header = alone_->state(alone_->generations().last).header;
	format_.store_id = header.store_id;
	if (const std::optional<ChunkingParameters> chunking = alone_->chunking())
		format_.chunking = *chunking;
	auto table = std::make_shared<LayerTable>();
	if (alone_->is_merged())
		table->set_dropped(alone_->dropped());
	table_ = std::move(table);
	dropped_at_first_ = table_->dropped();
	is_opened_ = true;
}

RootName Store::resolve_alone(std::string_view name) const
{
	const GenerationRange &range = alone_->generations();
	const auto state = [&](std::uint64_t generation) {
		return RootName{generation, alone_->is_merged() ? Digest() : alone_->root()};
	};
	if (name == "HEAD")
		return state(range.last);
	if (!alone_->is_merged() && (to_hex(alone_->root()) == name || to_hex(alone_->id()) == name))
		return state(range.last);
	const std::string first = std::to_string(range.first), last = std::to_string(range.last);
	if (name.size() > 1 && name.size() < 20 && name[0] == '@' && name.find_first_not_of("0123456789", 1) == name.npos) {
		const std::uint64_t generation = std::stoull(std::string(name.substr(1)));
		if (generation >= range.first && generation <= range.last)
			return state(generation);
	}
	throw Error(quote(name) + " names no state of " + quote(alone_->name()) + ": it has @" + first +
		(range.first < range.last ? " to @" + last : std::string()));
}

// A hint may be wrong; the index of the layer is asked then.
std::optional<Buffer> Store::find_bytes_alone(ItemKind kind, const Digest &digest)
{
	if (kind == ItemKind::node)
		if (std::optional<Buffer> node = alone_->hinted_node(digest); node && item_digest(kind, *node) == digest)
			return node;
	const std::uint64_t generation = alone_->generations().last;
	const std::optional<Layer::Place> place = alone_->find(kind, digest);
	try {
		if (place)
			if (std::optional<Buffer> bytes = read_at({generation, *place}, kind, digest))
				return bytes;
	} catch (const CorruptError &) {
		// The index may know better.
	}
	const std::optional<Layer::Place> again = alone_->find_in_index(kind, digest);
	if (again)
		if (std::optional<Buffer> bytes = read_at({generation, *again}, kind, digest))
			return bytes;
	if (again)
		throw CorruptError(std::string(name_of(kind)) + " " + to_hex(digest) + " is damaged", alone_->name(), 0);
	return {};
}

} // namespace dig
