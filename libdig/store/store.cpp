#include "libdig/store/store.h"

#include <algorithm>
#include <cerrno>

#include "libdig/base/byte_size.h"
#include "libdig/format/setting_keys.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/store/adopted_layer.h"

// Readers take no lock, while others add to the store.  A layer is never changed, and the file of roots
// is replaced as a whole.  So what was read stays true, and can only be out of date.
//
// An item is looked for in several places, the cheap ones first: where the chunk index says that it is,
// in what is staged (extra), and at last in every layer.  Each copy is compared with its digest before
// anybody gets it.  A copy that is damaged, or lies elsewhere than a run of the chunk index says, is
// passed over for the next one.  Damage is an error only when no layer has a good copy.
//
// Before an item is said to be missing, the file of roots is looked at again.  If there was a commit
// meanwhile, the search begins anew: an index or a manifest that was read after it may name items of the
// new layer.
//
// Everything that reload() replaces is under the mutex, and readers get copies or shared pointers.  A
// layer stays open as long as somebody holds it, also when it was dropped from layers_ to keep the
// number of open files small.

namespace dig {

constexpr std::size_t max_open_layers = 40;
constexpr std::size_t run_cache_size = 2_MiB;
constexpr std::size_t most_intact_blocks = 32768; // 2 MiB
constexpr std::size_t index_room_size = 12_MiB; // of open layers, together

class MissingLayer : public CorruptError {
public:
	MissingLayer(const std::string &what, const std::string &path) : CorruptError(what, path, 0) {}
};

static StoreFormat read_format(const StorePaths &paths)
{
	const std::optional<Buffer> file = find_whole_file(paths.format(), max_small_file);
	if (!file)
		throw NoStoreError(quote(paths.store) + " is no store: it has no file 'format'");
	const StoreFormat format = StoreFormat::decode(*file, paths.format());
	const std::string name = paths.store + "/store-id";
	const Buffer id = read_whole_file(name, max_small_file);
	if (text_of(id) != to_hex(format.store_id) + "\n")
		throw CorruptError("it is not the id that 'format' has", name, 0);
	return format;
}

// A store keeps the parameters it was made with.  Settings that say otherwise are a mistake, which
// would go unnoticed if they were ignored.
void compare_chunking(const Settings &settings, const StoreFormat &format)
{
	ChunkingParameters stored = format.chunking;
	const Settings::Chunking &wanted = settings.chunking;
	const std::pair<const char *, std::pair<std::uint64_t, std::uint64_t>> pairs[] = {
		{"chunking.small_file_chunk_size", {wanted.small_file_chunk_size, stored.small_file_chunk_size}},
		{"chunking.small_file_threshold", {wanted.small_file_threshold, stored.small_file_threshold}},
		{"chunking.medium_file_chunk_size", {wanted.medium_file_chunk_size, stored.medium_file_chunk_size}},
		{"chunking.medium_file_threshold", {wanted.medium_file_threshold, stored.medium_file_threshold}},
		{"chunking.large_file_chunk_size", {wanted.large_file_chunk_size, stored.large_file_chunk_size}},
		{"chunking.huge_file_chunk_size", {wanted.huge_file_chunk_size, stored.huge_file_chunk_size}},
		{"chunking.huge_file_threshold", {wanted.huge_file_threshold, stored.huge_file_threshold}},
		{"chunking.target", {wanted.target, stored.target}},
	};
	for (const auto &[name, values] : pairs) {
		const Origin origin = origin_of(settings, get_setting_key(name));
		// In the file for all stores of a user, the parameters are for new ones.
		if (origin == Origin::standard || origin == Origin::global_file)
			continue;
		if (values.first != values.second)
			throw Error(std::string(name) + " is set to " + exact_size_text(values.first) +
				", but the store was made with " + exact_size_text(values.second) +
				" and keeps that; make a new store for other chunks");
	}
}

Store::Store(StorePaths paths)
	: paths_(std::move(paths)), settings_(load_settings(paths_.config())),
	  cache_(settings_.performance.chunk_cache_size), node_cache_(settings_.performance.file_cache_size),
	  index_room_(std::make_shared<IndexRoom>(index_room_size))
{
	format_ = read_format(paths_);
	compare_chunking(settings_, format_);
	reload();
}

void Store::reload()
{
	// The stat comes before the content.  A change between the two is then seen by refresh().  The table
	// comes before the roots: it names no generation that these do not have.
	const std::optional<FileStat> table_stat = find_stat(paths_.layer_table());
	auto table = std::make_shared<LayerTable>();
	if (const std::optional<Buffer> file = find_whole_file(paths_.layer_table(), max_layer_table_size))
		*table = LayerTable::decode(*file, paths_.layer_table());
	else if (format_.has_layer_table)
		throw CorruptError("it is not there; 'dig check --repair' makes it anew", paths_.layer_table(), 0);
	const std::optional<FileStat> stat = find_stat(paths_.roots());
	std::optional<Buffer> file = find_whole_file(paths_.roots(), max_roots_size);
	if (!file)
		throw CorruptError("it is not there", paths_.roots(), 0);
	RootHistory roots = RootHistory::decode(std::move(*file), paths_.roots());
	if (!table->merged().empty() && table->merged().back().range.last > roots.size())
		throw CorruptError("it names generations that 'roots' does not have; 'dig check --repair' makes 'roots' anew",
			paths_.layer_table(), 0);
	const bool has_adopted = adopt_layer(paths_, roots, *table);
	auto index = std::make_shared<ChunkIndex>(paths_.chunk_index(), roots, table,
		[this](std::uint64_t generation) { return layer(generation); },
		std::min<std::uint64_t>(run_cache_size, settings_.performance.file_cache_size / 4));
	std::lock_guard guard(mutex_);
	// Blocks are kept by generation, and another file may have its blocks there now.
	const bool goes_on = roots.size() >= roots_.size() &&
		(roots_.size() == 0 || roots.at(roots_.size()).layer_id == roots_.tip_layer());
	if (is_opened_ && (!goes_on || !(*table == *table_))) {
		cache_.clear();
		node_cache_.clear();
	}
	roots_ = std::move(roots);
	roots_stat_ = stat;
	if (!is_opened_)
		dropped_at_first_ = table->dropped();
	is_opened_ = true;
	has_adopted_ = has_adopted;
	table_ = std::move(table);
	table_stat_ = table_stat;
	layers_.clear();
	intact_blocks_.clear();
	index_ = std::move(index);
}

bool Store::refresh()
{
	if (alone_)
		return false;
	const std::optional<FileStat> table = find_stat(paths_.layer_table());
	const std::optional<FileStat> roots = find_stat(paths_.roots());
	{
		std::lock_guard guard(mutex_);
		const auto is_same = [](const std::optional<FileStat> &a, const std::optional<FileStat> &b) {
			return a.has_value() == b.has_value() && (!a || is_same_content(*a, *b));
		};
		if (roots && is_same(roots, roots_stat_) && is_same(table, table_stat_))
			return false;
	}
	reload();
	return true;
}

bool Store::has_adopted() const
{
	std::lock_guard guard(mutex_);
	return has_adopted_;
}

std::shared_ptr<const LayerTable> Store::layer_table() const
{
	std::lock_guard guard(mutex_);
	return table_;
}

RootHistory Store::roots() const
{
	std::lock_guard guard(mutex_);
	return roots_;
}

std::shared_ptr<ChunkIndex> Store::chunk_index()
{
	std::lock_guard guard(mutex_);
	return index_;
}

// Of one that has moved meanwhile, the new place is looked for.
std::shared_ptr<Layer> Store::layer(std::uint64_t generation)
{
	for (;;) {
		try {
			return open_layer(generation);
		} catch (const MissingLayer &) {
			if (!refresh())
				throw;
		}
	}
}

std::shared_ptr<Layer> Store::open_layer(std::uint64_t generation)
{
	if (alone_)
		return alone_;
	std::unique_lock guard(mutex_);
	if (generation == 0 || generation > roots_.size())
		throw CorruptError("there is no generation " + std::to_string(generation), paths_.roots(), 0);
	const std::shared_ptr<const LayerTable> table = table_;
	const MergedLayer *const merged = table->find(generation);
	const std::uint64_t home = merged ? merged->range.last : generation;
	const auto known = layers_.find(home);
	if (known != layers_.end()) {
		known->second.last_use = ++layer_uses_;
		return known->second.layer;
	}
	const RootHistory::Record record = roots_.at(generation);
	// Others read what is open meanwhile, or open other layers.
	guard.unlock();
	const std::string path = merged ? paths_.merged_layer(merged->pack_id) : paths_.layer(record.layer_id);
	if (!find_stat(path))
		throw MissingLayer("the layer of generation " + std::to_string(generation) + " is missing", path);
	std::shared_ptr<Layer> layer;
	try {
		layer = std::make_shared<Layer>(path, index_room_);
	} catch (const SystemError &error) {
		if (error.error() == ENOENT)
			throw MissingLayer("the layer of generation " + std::to_string(generation) + " is missing", path);
		if (error.error() != EMFILE || !close_layers())
			throw;
		layer = std::make_shared<Layer>(path, index_room_);
	}
	if (merged) {
		if (!layer->is_merged() || layer->pack_id() != merged->pack_id || layer->generations() != merged->range)
			throw CorruptError("it is another layer than the layer table says", path, 0);
	} else if (layer->is_merged() || layer->id() != record.layer_id) {
		throw CorruptError("it is another layer than its name says", path, 0);
	} else if (layer->header().store_id != format_.store_id) {
		throw CorruptError("it is a layer of another store", path, 0);
	} else if (layer->header().generation != generation || layer->root() != record.root) {
		throw CorruptError("it does not lead to the root in 'roots'", path, 0);
	}
	guard.lock();
	if (layer->is_elsewhere()) {
		if (!pack_ranges_)
			pack_ranges_ = open_pack_ranges(paths_);
		layer->read_blocks_from(blocks_in_packs(layer->packs_elsewhere(), pack_ranges_));
	}
	// After a reload, the generation may be at home elsewhere.
	if (table != table_)
		return layer;
	// The other half of the files that may be open is for the caller.
	while (layers_.size() >= std::clamp<std::size_t>(file_limit() / 2, 1, max_open_layers))
		layers_.erase(std::min_element(layers_.begin(), layers_.end(),
			[](const auto &a, const auto &b) { return a.second.last_use < b.second.last_use; }));
	return layers_.try_emplace(home, OpenLayer{layer, ++layer_uses_}).first->second.layer;
}

bool Store::close_layers()
{
	std::lock_guard guard(mutex_);
	const bool had_any = !layers_.empty();
	layers_.clear();
	return had_any;
}

std::optional<ItemPlace> Store::find_item(ItemKind kind, const Digest &digest)
{
	if (alone_) {
		const std::optional<Layer::Place> place = alone_->find(kind, digest);
		return place ? std::optional(ItemPlace{alone_->generations().last, *place}) : std::nullopt;
	}
	return chunk_index()->find(kind, digest);
}

// The layer's own index has to name the item, and the block it lies in has to be whole.  A block is
// checked once, and remembered.
bool Store::holds(ItemKind kind, const Digest &digest, Bytes content)
{
	if (alone_)
		return false;
	const std::optional<ItemPlace> place = chunk_index()->find_sound(kind, digest);
	if (!place)
		return false;
	const ChunkCache::Key block{place->generation, place->place.block};
	{
		std::lock_guard guard(mutex_);
		if (intact_blocks_.contains(block))
			return true;
	}
	try {
		const std::shared_ptr<Layer> from = layer(place->generation);
		if (from->is_elsewhere())
			return true;
		switch (from->look_at_block(place->place, digest, content)) {
		case Layer::Intact::item: return true;
		case Layer::Intact::block: break;
		case Layer::Intact::no: return false;
		}
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		return false;
	}
	std::lock_guard guard(mutex_);
	if (intact_blocks_.size() >= most_intact_blocks)
		intact_blocks_.clear();
	intact_blocks_.insert(block);
	return true;
}

std::optional<ItemPlace> Store::find_in_layers(ItemKind kind, const Digest &digest)
{
	if (alone_)
		return find_item(kind, digest);
	const std::shared_ptr<ChunkIndex> index = chunk_index();
	std::optional<ItemPlace> found;
	try {
		found = index->find(kind, digest);
		// A run of another history may be right about the layer and wrong about the block.
		if (found)
			if (const std::optional<Layer::Place> own = layer(found->generation)->find(kind, digest))
				return ItemPlace{found->generation, *own};
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		// Another layer may have it.
	}
	found.reset();
	index->find_in_layers(kind, digest, [&](const ItemPlace &place) {
		found = place;
		return true;
	});
	return found;
}

// What came from elsewhere and is wrong is asked for once more.
std::optional<Buffer> Store::read_at(const ItemPlace &place, ItemKind kind, const Digest &digest)
{
	const auto ask_anew = [&] {
		const std::shared_ptr<Layer> from = layer(place.generation);
		const BlockRecord record = from->block(place.place.block);
		return from->file().distrust(record.offset, record.length);
	};
	try {
		std::optional<Buffer> bytes = read_block_at(place, kind, digest);
		if (bytes || !ask_anew())
			return bytes;
	} catch (const CorruptError &) {
		if (!ask_anew())
			throw;
	}
	return read_block_at(place, kind, digest);
}

Store::BlockAt Store::block_at(const ItemPlace &place, ItemKind kind)
{
	thread_local Decompressor decompressor;
	const std::shared_ptr<Layer> from = layer(place.generation);
	BlockAt at;
	at.block = (kind == ItemKind::chunk ? cache_ : node_cache_).find({place.generation, place.place.block});
	at.was_cached = at.block != nullptr;
	if (!at.was_cached) {
		const BlockRecord record = from->block(place.place.block);
		const StoredBlock stored = read_stored_block(from->file(), record.offset, record.length);
		auto decoded = std::make_shared<DecodedBlock>();
		decoded->kind = stored.shape.kind;
		decoded->raw.resize(stored.shape.raw_size);
		std::uint32_t end = 0;
		for (std::uint32_t size : stored.shape.sizes)
			decoded->ends.push_back(end += size);
		decode_block(stored, decompressor, decoded->raw, from->name(), record.offset);
		at.block = decoded;
	}
	if (at.block->kind != kind || place.place.item >= at.block->ends.size())
		return {};
	return at;
}

// A chunk that is alone in its block comes once as a rule.
void Store::keep_block(const ItemPlace &place, const BlockAt &at)
{
	ChunkCache &cache = at.block->kind == ItemKind::chunk ? cache_ : node_cache_;
	if (!at.was_cached && (at.block->kind == ItemKind::node || at.block->ends.size() > 1))
		cache.insert({place.generation, place.place.block}, at.block);
}

// Nothing when the place holds another item, as happens when a run is out of date.
std::optional<Buffer> Store::read_block_at(const ItemPlace &place, ItemKind kind, const Digest &digest)
{
	const BlockAt at = block_at(place, kind);
	if (!at.block)
		return {};
	std::optional<Buffer> item = verified_item(kind, at.block->item(place.place.item), digest);
	if (item)
		keep_block(place, at);
	return item;
}

Node Store::read_node(TreeKind kind, const Digest &id, NodeMemo *memo)
{
	try {
		if (const std::optional<ItemPlace> place = find_item(ItemKind::node, id))
			if (const BlockAt at = block_at(*place, ItemKind::node); at.block) {
				const Bytes bytes = at.block->item(place->place.item);
				Node node = Node::parse(Buffer(bytes.begin(), bytes.end()), kind, &id, "a node", memo);
				keep_block(*place, at);
				return node;
			}
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		// It may be good in another layer, or belong elsewhere in this one.
	}
	return Node::parse(read_item(ItemKind::node, id), kind, &id, "node " + to_hex(id), memo);
}

// From any layer that has the item.  Nothing when none has; CorruptError when all that do are
// damaged.
std::optional<Buffer> Store::read_elsewhere(ChunkIndex &index, ItemKind kind, const Digest &digest)
{
	std::optional<Buffer> bytes;
	std::optional<std::uint64_t> seen;
	index.find_in_layers(kind, digest, [&](const ItemPlace &place) {
		seen = place.generation;
		return (bytes = read_at(place, kind, digest)).has_value();
	});
	if (!bytes && seen)
		throw CorruptError(std::string(name_of(kind)) + " " + to_hex(digest) + " is damaged in " +
			quote(layer(*seen)->name()));
	return bytes;
}

std::optional<Buffer> Store::find_item_bytes(ItemKind kind, const Digest &digest)
{
	if (alone_)
		return find_bytes_alone(kind, digest);
	const std::shared_ptr<ChunkIndex> index = chunk_index();
	if (const std::optional<ItemPlace> place = index->find(kind, digest)) {
		try {
			if (std::optional<Buffer> bytes = read_at(*place, kind, digest))
				return bytes;
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			// Another layer may hold the same item, or a run may have pointed elsewhere.
		}
		if (std::optional<Buffer> bytes = read_elsewhere(*index, kind, digest))
			return bytes;
	}
	if (extra_)
		return extra_(kind, digest);
	return {};
}

std::optional<Buffer> Store::search_item(ItemKind kind, const Digest &digest)
{
	if (std::optional<Buffer> bytes = find_item_bytes(kind, digest))
		return bytes;
	if (alone_)
		return {};
	return read_elsewhere(*chunk_index(), kind, digest);
}

std::optional<Buffer> Store::find_item_anywhere(ItemKind kind, const Digest &digest)
{
	for (;;) {
		std::exception_ptr failure;
		try {
			if (std::optional<Buffer> bytes = search_item(kind, digest))
				return bytes;
		} catch (const CorruptError &) {
			failure = std::current_exception();
		}
		if (refresh())
			continue;
		if (failure)
			std::rethrow_exception(failure);
		return {};
	}
}

Buffer Store::read_item(ItemKind kind, const Digest &digest)
{
	if (std::optional<Buffer> bytes = find_item_anywhere(kind, digest))
		return std::move(*bytes);
	if (layer_table()->dropped() != dropped_at_first_)
		throw DroppedState(std::string(name_of(kind)) + " " + to_hex(digest) +
			" is in no layer any more: 'dig gc' has dropped states since this command began");
	throw CorruptError(std::string(name_of(kind)) + " " + to_hex(digest) + " is missing: no layer holds it");
}

Buffer Store::read_next_item(ItemKind kind, const Digest &digest, std::optional<ItemPlace> &last)
{
	try {
		if (last) {
			const std::shared_ptr<Layer> from = layer(last->generation);
			ItemPlace next = *last;
			if (++next.place.item >= from->block(next.place.block).items) {
				next.place.item = 0;
				while (++next.place.block < from->block_count() &&
					from->block(next.place.block).kind != static_cast<std::uint8_t>(kind))
					;
			}
			if (next.place.block < from->block_count())
				if (std::optional<Buffer> bytes = read_at(next, kind, digest)) {
					last = next;
					return std::move(*bytes);
				}
		}
		if ((last = find_item(kind, digest)))
			if (std::optional<Buffer> bytes = read_at(*last, kind, digest))
				return std::move(*bytes);
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		// Another place may have it.
	}
	last.reset();
	return read_item(kind, digest);
}

bool Store::is_good_copy(ItemKind kind, const Digest &digest, const ItemPlace &place)
{
	try {
		return read_at(place, kind, digest).has_value();
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		return false;
	}
}

bool Store::has_other_copy(ItemKind kind, const Digest &digest, const ItemPlace &place)
{
	if (alone_)
		return false;
	try {
		return chunk_index()->find_in_layers(kind, digest, [&](const ItemPlace &other) {
			return (other.generation != place.generation || other.place.block != place.place.block) &&
				is_good_copy(kind, digest, other);
		});
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		// A layer that cannot be asked.
		return false;
	}
}

NodeSource Store::nodes()
{
	return [this](const Digest &id) { return read_item(ItemKind::node, id); };
}

} // namespace dig
