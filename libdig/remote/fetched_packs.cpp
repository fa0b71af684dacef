// Packs are objects that never change, so a part of one that is here is right or wrong for good.
#include "libdig/remote/fetched_packs.h"

#include <algorithm>
#include <numeric>

#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t range_size = 16_MiB;

void FetchedPacks::add(const std::vector<RootRecord::Pack> &packs)
{
	for (const RootRecord::Pack &pack : packs)
		if (std::find(packs_.begin(), packs_.end(), pack) == packs_.end())
			packs_.push_back(pack);
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

void FetchedPacks::bring()
{
	make_directory(paths_.tmp());
	work_.begin_stage("fetch", {.bytes = bytes_to_come()});
	for (const RootRecord::Pack &pack : packs_)
		bring_pack(pack);
}

void FetchedPacks::bring_pack(const RootRecord::Pack &pack)
{
	const File file = File::open_with(path_of(pack), O_RDWR | O_CREAT);
	std::uint64_t at = file.size();
	if (at > pack.size)
		file.truncate(at = 0);
	while (at < pack.size) {
		check_interrupted();
		const std::uint64_t wanted = std::min(range_size, pack.size - at);
		const std::optional<RemoteObjects::Part> part = objects_.get(pack_key(pack.id), at, wanted);
		if (!part)
			throw Error("the pack " + to_hex(pack.id) + " is gone from the remote");
		if (part->total != pack.size || part->bytes.size() != wanted)
			throw CorruptError("the pack " + to_hex(pack.id) + " has another size than its record says");
		file.write_at(part->bytes, at);
		at += wanted;
		work_.bytes.add(wanted);
	}
}

void FetchedPacks::put_into(LayerMerger &merger) const
{
	for (const RootRecord::Pack &pack : packs_) {
		try {
			put_pack(merger, pack);
		} catch (const CorruptError &) {
			remove_file_if_there(path_of(pack));
			throw;
		}
	}
}

void FetchedPacks::put_pack(LayerMerger &merger, const RootRecord::Pack &pack) const
{
	const auto layer = std::make_shared<Layer>(path_of(pack));
	if (!layer->is_pack() || layer->pack_id() != pack.id)
		throw CorruptError("the pack " + to_hex(pack.id) + " is another one than its key says");
	layer->check_structure();
	for (std::uint32_t i = 0; i < layer->block_count(); i++) {
		std::vector<std::uint16_t> items(layer->block(i).items);
		std::iota(items.begin(), items.end(), std::uint16_t(0));
		merger.take(layer, i, std::move(items));
	}
	// So that a block that is damaged is known to be of this pack.
	merger.flush();
}

void FetchedPacks::remove() const
{
	for (const RootRecord::Pack &pack : packs_)
		remove_file_if_there(path_of(pack));
}

} // namespace dig
