// Small chunks share blocks of 0.5 to 1 MiB.  Whoever reads them one after another would decode the
// same block for each of them without a cache.
//
// One mutex for all is enough, because a look-up takes a fraction of the time of decoding.  Blocks
// are shared: one that is dropped while a reader has it lives until the reader lets go.
#include "libdig/store/chunk_cache.h"

namespace dig {

// 128 bytes for the nodes of list and map, and for the objects.
static std::size_t cost_of(const DecodedBlock &block) { return block.raw.size() + 4 * block.ends.size() + 128; }

std::shared_ptr<const DecodedBlock> ChunkCache::find(const Key &key)
{
	std::lock_guard guard(mutex_);
	const auto place = places_.find(key);
	if (place == places_.end()) {
		misses_++;
		return nullptr;
	}
	hits_++;
	order_.splice(order_.begin(), order_, place->second);
	return place->second->second;
}

void ChunkCache::insert(const Key &key, std::shared_ptr<const DecodedBlock> block)
{
	const std::size_t cost = cost_of(*block);
	std::lock_guard guard(mutex_);
	if (cost > capacity_ / 2 || places_.contains(key))
		return;
	order_.emplace_front(key, std::move(block));
	places_[key] = order_.begin();
	size_ += cost;
	while (size_ > capacity_) {
		size_ -= cost_of(*order_.back().second);
		places_.erase(order_.back().first);
		order_.pop_back();
	}
}

} // namespace dig
