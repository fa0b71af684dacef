// Decoded blocks, bounded in bytes.  The least recently used ones are dropped first.
#ifndef DIG_CHUNK_CACHE_H
#define DIG_CHUNK_CACHE_H

#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "libdig/format/layer_format.h"

namespace dig {

struct DecodedBlock {
	ItemKind kind;
	Buffer raw;
	std::vector<std::uint32_t> ends; // of the items, in raw

	Bytes item(std::size_t i) const
	{
		const std::size_t start = i ? ends[i - 1] : 0;
		return Bytes(raw).subspan(start, ends[i] - start);
	}
};

// Any thread may call.
class ChunkCache {
public:
	explicit ChunkCache(std::size_t capacity) : capacity_(capacity) {}

	struct Key {
		std::uint64_t generation;
		std::uint32_t block;
		auto operator<=>(const Key &) const = default;
	};
	// Null when the block is not there.
	std::shared_ptr<const DecodedBlock> find(const Key &key);
	// A block larger than half the capacity is not kept.
	void insert(const Key &key, std::shared_ptr<const DecodedBlock> block);
	void clear()
	{
		std::lock_guard guard(mutex_);
		places_.clear();
		order_.clear();
		size_ = 0;
	}
	std::uint64_t hits() const { return hits_; }
	std::uint64_t misses() const { return misses_; }

private:
	using Order = std::list<std::pair<Key, std::shared_ptr<const DecodedBlock>>>;
	std::mutex mutex_;
	std::size_t capacity_, size_ = 0;
	Order order_; // most recently used first
	std::map<Key, Order::iterator> places_;
	std::uint64_t hits_ = 0, misses_ = 0;
};

} // namespace dig

#endif
