// Packs are objects that never change, so a part of one that is here is right or wrong for good.
#include "libdig/remote/fetched_packs.h"

#include <algorithm>
#include <numeric>

#include "libdig/os/directory.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t check_memory = 16_MiB;

void FetchedPacks::add(const std::vector<RootRecord::Pack> &packs)
{
	for (const RootRecord::Pack &pack : packs)
		if (std::find(packs_.begin(), packs_.end(), pack) == packs_.end())
			packs_.push_back(pack);
}

void FetchedPacks::add_for(const RootRecord &record, RemoteStore &remote)
{
	const std::uint64_t at = record.content_at;
	if (at == last_read_)
		return;
	last_read_ = at;
	if (at == record.state.header.generation)
		return add(record.packs);
	const std::optional<RootRecord> first = remote.record(at);
	if (!first)
		throw Error("the record of @" + std::to_string(at) + " is gone from the remote");
	add(first->packs);
}

std::uint64_t FetchedPacks::bytes_here() const
{
	std::uint64_t sum = 0;
	for (const RootRecord::Pack &pack : packs_)
		if (const std::optional<FileStat> stat = find_stat(path_of(pack)))
			sum += std::min(stat->size, pack.size);
	return sum;
}

std::uint64_t FetchedPacks::bytes_to_come() const
{
	std::uint64_t sum = 0;
	for (const RootRecord::Pack &pack : packs_)
		sum += pack.size;
	return sum - bytes_here();
}

// All of its bytes, as far as the pack itself tells.
static void check_pack(const std::string &path)
{
	const Layer layer(path);
	layer.check_structure();
	layer.check_blocks(1, check_memory, [](std::uint32_t, std::span<const ChunkRecord>, const std::string &problem) {
		throw CorruptError(problem);
	}, [](std::uint64_t) { check_interrupted(); }, unseen_work());
}

void FetchedPacks::bring()
{
	make_directory(paths_.tmp());
	lock_ = Lock::acquire(paths_.fetch_lock(), 60000, Lock::Mode::shared);
	work_.begin_stage("fetch", {.bytes = bytes_to_come()});
	for (const RootRecord::Pack &pack : packs_)
		bring_pack(pack);
}

void FetchedPacks::bring_pack(const RootRecord::Pack &pack)
{
	const File file = File::open_with(path_of(pack), O_RDWR | O_CREAT);
	const std::uint64_t kept = file.size();
	if (kept > pack.size)
		file.truncate(0);
	const auto bring_rest = [&] { copy_part(objects_, pack, file.size(), pack.size, file, work_); };
	bring_rest();
	if (kept == 0)
		return;
	// A power cut may have left a name with other bytes.
	try {
		check_pack(path_of(pack));
	} catch (const CorruptError &) {
		file.truncate(0);
		bring_rest();
	}
}

void FetchedPacks::put_into(LayerMerger &merger, const IsHere &is_here) const
{
	for (const RootRecord::Pack &pack : packs_) {
		try {
			put_pack(merger, is_here, pack);
		} catch (const CorruptError &) {
			remove_file_if_there(path_of(pack));
			throw;
		}
	}
}

void FetchedPacks::put_pack(LayerMerger &merger, const IsHere &is_here, const RootRecord::Pack &pack) const
{
	const auto layer = std::make_shared<Layer>(path_of(pack));
	if (!layer->is_pack() || layer->pack_id() != pack.id)
		throw CorruptError("the pack " + to_hex(pack.id) + " is another one than its key says");
	layer->check_structure();
	// A pack of many states may come to a store that has some of them.
	std::vector<bool> is_new(layer->block_count());
	RunRecords records = layer->records(0);
	while (const std::optional<RunRecord> record = records())
		if (!is_new.at(record->block) && !is_here(static_cast<ItemKind>(record->kind), record->digest))
			is_new[record->block] = true;
	for (std::uint32_t i = 0; i < layer->block_count(); i++) {
		if (!is_new[i])
			continue;
		std::vector<std::uint16_t> items(layer->block(i).items);
		std::iota(items.begin(), items.end(), std::uint16_t(0));
		merger.take(layer, i, std::move(items));
	}
	// So that a block that is damaged is known to be of this pack.
	merger.flush();
}

void FetchedPacks::remove()
{
	for (const RootRecord::Pack &pack : packs_)
		remove_file_if_there(path_of(pack));
	lock_.reset();
	remove_left(paths_);
}

void FetchedPacks::remove_left(const StorePaths &paths)
{
	if (!find_stat(paths.tmp()))
		return;
	std::vector<std::string> names = names_in(paths.tmp());
	std::erase_if(names, [](const std::string &name) { return !name.starts_with("fetch-"); });
	if (names.empty())
		return;
	const std::optional<Lock> lock = Lock::try_acquire(paths.fetch_lock());
	for (const std::string &name : names)
		if (lock)
			remove_file_if_there(paths.tmp() + "/" + name);
}

} // namespace dig
