#include "libdig/verbs/layer_swap.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/verbs/dropped_files.h"

namespace dig {

constexpr int wait_for_adds_ms = 20000;

LayerSwap::LayerSwap(Store &store, const MergedLayer &merged)
	: store_(store), merged_(merged), path_(store.paths().merged_layer(merged.pack_id))
{
}

void LayerSwap::publish_file(PublishedFile &file)
{
	is_published_ = true;
	file.publish_as(path_);
	layer_ = std::make_unique<Layer>(path_);
	layer_->check_structure();
	if (layer_->pack_id() != merged_.pack_id || layer_->generations() != merged_.range)
		throw CorruptError("it was not written as it should be", path_, 0);
}

void LayerSwap::check(std::size_t memory) const
{
	const auto fail = [](std::uint32_t, std::span<const ChunkRecord>, const std::string &problem) {
		throw CorruptError(problem);
	};
	layer_->check_blocks(worker_threads(store_.settings()), memory, fail, [](std::uint64_t) { check_interrupted(); },
		unseen_work());
}

bool LayerSwap::covers(std::uint64_t generation) const
{
	return merged_.range.first <= generation && generation <= merged_.range.last;
}

bool LayerSwap::has(ItemKind kind, const Digest &id) const { return layer_->find(kind, id).has_value(); }

void LayerSwap::replace(LayerTable &table)
{
	table.merge(merged_);
	// A failure may come when the table is in place already.
	is_named_ = true;
	publish_table(store_.paths(), table);
}

void LayerSwap::follow()
{
	store_.refresh();
	try {
		ChunkIndex::update(store_.paths().chunk_index(), store_.roots(), *store_.layer_table(),
			[&](std::uint64_t generation) { return store_.layer(generation); });
	} catch (const SystemError &) {
		// As on a full disk: it is derived, and whoever comes next makes it.
	}
}

LayerSwap::~LayerSwap()
{
	if (!is_published_ || is_named_)
		return;
	try {
		remove_file_if_there(path_);
	} catch (const Error &) {
		// The next gc takes it away.
	}
}

void publish_table(const StorePaths &paths, LayerTable &table)
{
	const Buffer file = read_whole_file(paths.format(), max_small_file);
	StoreFormat format = StoreFormat::decode(file, paths.format());
	if (!format.has_layer_table) {
		// A table that says nothing comes first: with the format, it must be there.  There may be one if the
		// format is an old copy.
		if (!find_stat(paths.layer_table()))
			publish_file(paths.layer_table(), LayerTable().encoded());
		format.has_layer_table = true;
		publish_file(paths.format(), format.encoded());
	}
	table.advance();
	publish_file(paths.layer_table(), table.encoded());
}

void settle_adopted(Store &store)
{
	if (!store.has_adopted())
		return;
	LayerTable table = *store.layer_table();
	publish_table(store.paths(), table);
	store.refresh();
}

// Whether the files that the table names for these generations are there.  If not, it may be an old copy.
static bool has_files(const Store &store, const GenerationRange &range)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	for (std::uint64_t i = range.first; i <= range.last; i++) {
		if (i > store.roots().size())
			return false;
		const MergedLayer *const merged = table->find(i);
		if (!find_stat(merged ? store.paths().merged_layer(merged->pack_id)
				      : store.paths().layer(store.roots().at(i).layer_id)))
			return false;
	}
	return true;
}

// Of a merged layer; nothing if it cannot be opened.
static std::optional<GenerationRange> generations_of(const std::string &path)
{
	try {
		return Layer(path).generations();
	} catch (const CorruptError &) {
		return {};
	}
}

// What a gc or a repack that was interrupted has left: merged layers that the table does not name yet, and
// layers that it names no more.
static void take_out_strays(const Store &store, const DroppedFiles &files)
{
	const StorePaths &paths = store.paths();
	remove_abandoned(paths.layers());
	bool is_any = false;
	for (const std::string &name : names_in(paths.layers())) {
		const std::optional<Digest> id = parse_digest(name.substr(0, name.find('.')));
		if (!id)
			continue;
		const auto &merged = store.layer_table()->merged();
		const std::optional<std::uint64_t> generation = store.roots().find_layer(*id);
		std::optional<GenerationRange> left; // of a file that the table does not name
		if (!name.ends_with(".merged")) {
			if (generation && store.layer_table()->find(*generation))
				left = GenerationRange{*generation, *generation};
		} else if (std::none_of(merged.begin(), merged.end(),
				   [&](const MergedLayer &one) { return one.pack_id == *id; })) {
			left = generations_of(paths.layers() + "/" + name);
		}
		if (!left || !has_files(store, *left))
			continue;
		files.take_out(name);
		is_any = true;
	}
	if (is_any)
		files.sync();
}

// Under the store's lock, when no add is running that may rely on them.
static void remove_dropped(Store &store, const DroppedFiles &files)
{
	if (find_stat(store.paths().staging())) {
		StagingWriter writer(store, true);
		if (Index::open(writer.directory()).state().may_lack)
			rescue_staged(store, writer);
	}
	files.remove();
}

bool purge_dropped(const StorePaths &paths, const std::function<void(const std::string &)> &notice)
{
	const DroppedFiles files(paths);
	std::uint64_t rounds;
	{
		const Lock lock = Lock::acquire(paths.lock());
		Store store(paths);
		take_out_strays(store, files);
		if (!find_stat(paths.dropped()))
			return true;
		// A gc that was interrupted has not ended its round.
		const std::optional<DroppedFiles::Before> before = files.before();
		LayerTable table = *store.layer_table();
		if (!files.is_empty() && (!before || table.rounds() == before->table.rounds())) {
			table.count_round();
			publish_table(paths, table);
		}
		store.refresh();
		rounds = store.layer_table()->rounds();
	}
	// Without the store's lock: adds may need it to end.
	std::optional<Lock> others;
	try {
		others = Lock::acquire(paths.adding(rounds + 1), wait_for_adds_ms);
	} catch (const LockedError &) {
		if (notice)
			notice("adds are running that began before the last gc; what it dropped stays until they have ended");
		return false;
	}
	const Lock lock = Lock::acquire(paths.lock());
	Store store(paths);
	remove_dropped(store, files);
	return true;
}

bool purge_if_nobody_adds(Store &store)
{
	const DroppedFiles files(store.paths());
	const Lock lock = Lock::acquire(store.paths().lock());
	// Adds that begin from here on do not see what is dropped.
	for (const std::uint64_t round : {0, 1})
		if (!Lock::try_acquire(store.paths().adding(round)))
			return false;
	remove_dropped(store, files);
	return true;
}

} // namespace dig
