#include "libdig/verbs/prune_plan.h"

#include <algorithm>

#include "libdig/os/process.h"

namespace dig {

// A file with a smaller share of needed bytes shrinks.
constexpr double least_share = 0.75;
// Others shrink, too, until what is not needed is at most this part of what is.
constexpr double most_waste = 0.03;

PrunePlan::PrunePlan(Store &store, LiveItems &live, const LayerTable &table, std::uint64_t generations)
	: store_(store), live_(live)
{
	for (std::uint64_t home = 1; home <= generations; home++)
		if (table.home(home) == home)
			look_at(home);
	measure();
	judge();
	std::vector<std::uint64_t> with_copies;
	for (const File &file : files_)
		if (file.shrinks && file.live_items < file.items)
			with_copies.push_back(file.home);
	if (with_copies.empty())
		return;
	live_.prefer_good_copies(with_copies);
	measure();
}

void PrunePlan::look_at(std::uint64_t home)
{
	const std::shared_ptr<Layer> layer = store_.layer(home);
	const std::size_t slash = layer->name().rfind('/');
	files_.push_back({home, layer->generations(), layer->name().substr(slash + 1), layer->file_size(),
		layer->blocks_size(), layer->item_count(), layer->packing().pending > 0});
}

void PrunePlan::each_block(std::size_t first, std::size_t last, const TakeBlock &take) const
{
	auto spots = live_.spots();
	std::optional<ItemSpot> spot = spots();
	for (std::size_t i = first; i < last; i++) {
		while (spot && spot->generation < files_[i].home)
			spot = spots();
		std::shared_ptr<Layer> layer;
		std::vector<std::uint16_t> items;
		while (spot && spot->generation == files_[i].home) {
			if (!layer)
				layer = store_.layer(files_[i].home);
			const std::uint32_t block = spot->block;
			for (items.clear(); spot && spot->generation == files_[i].home && spot->block == block; spot = spots())
				items.push_back(spot->item);
			if (!take(i, layer, block, items))
				return;
		}
	}
}

void PrunePlan::measure()
{
	for (File &file : files_)
		file.live = file.live_items = 0;
	std::uint64_t passed = 0;
	each_block(0, files_.size(), [&](std::size_t i, const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items) {
		if (++passed % 4096 == 0)
			check_interrupted();
		const BlockRecord record = layer->block(block);
		files_[i].live_items += items.size();
		files_[i].live += record.length * items.size() / std::max<std::size_t>(record.items, items.size());
		return true;
	});
}

// Which files shrink, and which blocks in them are made anew.
void PrunePlan::judge()
{
	double live = 0, waste = 0;
	std::vector<File *> staying;
	for (File &file : files_) {
		live += static_cast<double>(file.live);
		file.shrinks = file.items > 0 && (file.live == 0 || file.is_pending ||
			static_cast<double>(file.live) < least_share * static_cast<double>(file.blocks_size));
		if (!file.shrinks) {
			staying.push_back(&file);
			waste += file.waste();
		}
	}
	std::sort(staying.begin(), staying.end(), [](const File *a, const File *b) {
		return a->waste() * static_cast<double>(b->blocks_size) > b->waste() * static_cast<double>(a->blocks_size);
	});
	for (File *const file : staying) {
		if (waste <= most_waste * live || file->waste() <= 0)
			break;
		file->shrinks = true;
		waste -= file->waste();
	}
	choose_blocks(most_waste * live - waste);
}

// Blocks stay whole where half of them is needed, or more, as far as they waste no more than this.
void PrunePlan::choose_blocks(double most)
{
	constexpr std::size_t steps = 20;
	std::vector<double> waste(steps + 1);
	each_block(0, files_.size(), [&](std::size_t i, const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items) {
		if (!files_[i].shrinks)
			return true;
		const BlockRecord record = layer->block(block);
		const double share = std::min(1.0, static_cast<double>(items.size()) / record.items);
		waste[static_cast<std::size_t>(share * steps)] += (1 - share) * static_cast<double>(record.length);
		return true;
	});
	double left = 0;
	std::size_t step = steps;
	while (step > steps / 2 && left + waste[step - 1] <= most)
		left += waste[--step];
	least_live_ = static_cast<double>(step) / steps;
}

} // namespace dig
