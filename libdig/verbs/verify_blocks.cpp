#include "libdig/verbs/verify_blocks.h"

#include <algorithm>

#include "libdig/os/environment.h"

namespace dig {

// What the process takes besides blocks.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t thread_memory = 192_KiB; // a decompressor and a stack
constexpr std::uint64_t least_memory = 8_MiB;    // for blocks
constexpr std::uint64_t thread_blocks = 6_MiB;   // more would not be used

static std::uint64_t memory_for_blocks(const Settings &settings)
{
	const std::uint64_t most = memory_budget(settings);
	const std::size_t count = worker_threads(settings);
	const std::uint64_t taken = fixed_memory + count * thread_memory;
	return std::clamp(most > taken ? most - taken : 0, least_memory, (count + 2) * thread_blocks);
}

// Each thread needs room for a block as it is stored, and for its items.
void BlockVerifier::carry(const Layer &layer)
{
	const Settings &settings = store_.settings();
	const std::uint64_t block = 2 * layer.file_size() / std::max<std::uint64_t>(layer.block_count(), 1) + 1;
	const std::size_t wanted = worker_threads(settings);
	const auto carried = [&](const Settings &with) {
		return std::clamp<std::uint64_t>(memory_for_blocks(with) / block, 1, wanted);
	};
	work_.carry_workers(wanted, carried(settings), [&] {
		return memory_that_carries(settings, [&](const Settings &with) { return carried(with) >= wanted; });
	});
}

BlockVerifier::Outcome BlockVerifier::check(const Layer &layer, std::uint64_t home, const Layer::BlockRange &range)
{
	const std::size_t count = worker_threads(store_.settings());
	Outcome outcome;
	work_.workers.set(count);
	carry(layer);
	const auto damaged = [&](std::uint32_t block, std::span<const ChunkRecord> items, const std::string &problem) {
		outcome.damaged.push_back(block);
		take_damage(layer, home, block, items, problem);
	};
	outcome.end = layer.check_blocks(count, memory_for_blocks(store_.settings()), damaged,
		[&](std::uint64_t bytes) {
			check_interrupted();
			outcome.bytes += bytes;
			work_.bytes.add(bytes);
		}, work_, range);
	return outcome;
}

bool BlockVerifier::is_good(ItemKind kind, const Digest &digest, const ItemPlace &place)
{
	try {
		return store_.is_good_copy(kind, digest, place);
	} catch (const CorruptError &) {
		return false;
	}
}

// What was added again, after it was damaged, is whole.
void BlockVerifier::take_damage(const Layer &layer, std::uint64_t home, std::uint32_t block,
	std::span<const ChunkRecord> items, const std::string &problem)
{
	bool is_healed = true;
	std::vector<std::string> bad;
	for (const ChunkRecord &item : items) {
		const ItemKind kind = static_cast<ItemKind>(item.kind);
		const ItemPlace place{home, {block, item.item}};
		if (is_good(kind, item.digest, place))
			continue;
		bad.push_back(std::string(name_of(kind)) + " " + to_hex(item.digest));
		bool is_elsewhere = false;
		findings_.attempt([&] { is_elsewhere = store_.has_other_copy(kind, item.digest, place); });
		if (is_elsewhere)
			continue;
		is_healed = false;
		note_if_lost(kind, item.digest);
	}
	findings_.damaged({layer.name(), block, bad, is_healed && !bad.empty(), problem});
}

void BlockVerifier::note_if_lost(ItemKind kind, const Digest &digest)
{
	try {
		if (store_.find_item_anywhere(kind, digest))
			return;
	} catch (const CorruptError &) {
		// No copy is good.
	} catch (const SystemError &error) {
		if (!Findings::is_denied(error))
			throw;
	}
	if (!lost_)
		lost_.emplace(temporary_directory());
	lost_->insert(kind, digest);
}

} // namespace dig
