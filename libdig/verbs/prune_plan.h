// Which layer files gc makes anew, and which of their blocks it keeps as they are.
#ifndef DIG_PRUNE_PLAN_H
#define DIG_PRUNE_PLAN_H

#include "libdig/verbs/reachability.h"

namespace dig {

class PrunePlan {
public:
	struct File {
		std::uint64_t home;
		GenerationRange range;
		std::string name;
		std::uint64_t size = 0, blocks_size = 0, items = 0;
		bool is_pending = false; // has content to be compressed later
		std::uint64_t live = 0, live_items = 0; // needed; bytes of blocks, about
		bool shrinks = false;

		double waste() const { return blocks_size > live ? static_cast<double>(blocks_size - live) : 0; }
	};

	// Of the files of these generations, once the items are located.  Reads the block tables, and copies of
	// items that a file which shrinks has, too (LiveItems::prefer_good_copies).
	PrunePlan(Store &store, LiveItems &live, const LayerTable &table, std::uint64_t generations);

	// In the order of their generations.
	const std::vector<File> &files() const { return files_; }
	// MergeOptions::least_live.
	double least_live() const { return least_live_; }
	// Calls take with each block of which something is needed, of files first to last: the number of its file,
	// its layer, its number there, and the numbers of its items.  Ends when take returns false.
	using TakeBlock = std::function<bool(std::size_t file, const std::shared_ptr<Layer> &layer, std::uint32_t block,
		const std::vector<std::uint16_t> &items)>;
	void each_block(std::size_t first, std::size_t last, const TakeBlock &take) const;

private:
	void look_at(std::uint64_t home);
	void measure();
	void judge();
	void choose_blocks(double most);

	Store &store_;
	LiveItems &live_;
	std::vector<File> files_;
	double least_live_ = 0.5;
};

} // namespace dig

#endif
