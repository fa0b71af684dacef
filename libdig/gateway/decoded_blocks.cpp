// Small files lie together in blocks of about 1 MiB.  For one of them the whole block is decoded, and
// files that many clients ask for in any order may be in more blocks than fit into memory.  A block that
// comes a second time is written to a file without a name, from which the next clients get their item by
// one read.  The page cache of the system is the memory for that, and gives it back when others need it.
//
// The file is bounded.  When it is full, it begins anew.  Who reads from a place that is being written
// then gets other bytes, which do not have the digest of the item.
#include "libdig/gateway/decoded_blocks.h"

#include <algorithm>

namespace dig {

constexpr std::size_t most_seen = 65536;

bool DecodedBlocks::find(const ChunkCache::Key &key, std::uint16_t item, MutableBytes out)
{
	if (const std::shared_ptr<const DecodedBlock> block = cache_.find(key)) {
		if (block->kind != ItemKind::chunk || item >= block->ends.size() || block->item(item).size() != out.size())
			return false;
		const Bytes bytes = block->item(item);
		std::copy(bytes.begin(), bytes.end(), out.begin());
		return true;
	}
	std::shared_ptr<const Stored> stored;
	std::shared_ptr<const File> file;
	{
		std::lock_guard guard(mutex_);
		const auto found = stored_.find(key);
		if (found == stored_.end())
			return false;
		stored = found->second;
		file = file_;
	}
	if (item >= stored->ends.size())
		return false;
	const std::uint32_t start = item > 0 ? stored->ends[item - 1] : 0;
	if (stored->ends[item] - start != out.size())
		return false;
	try {
		return file->read_at(out, stored->offset + start) == out.size();
	} catch (const Error &) {
		return false;
	}
}

void DecodedBlocks::note(const ChunkCache::Key &key)
{
	const std::shared_ptr<const DecodedBlock> block = cache_.find(key);
	if (!block || block->kind != ItemKind::chunk)
		return;
	std::lock_guard guard(mutex_);
	if (block->raw.size() > most_ || stored_.contains(key))
		return;
	if (seen_.size() >= most_seen)
		seen_.clear();
	if (seen_.insert(key).second)
		return;
	store(key, block->raw, block->ends);
}

// Without the file it goes on as before, only slower.
void DecodedBlocks::store(const ChunkCache::Key &key, Bytes raw, std::vector<std::uint32_t> ends)
{
	try {
		if (!file_)
			file_ = std::make_shared<const File>(File::temporary_in(directory_));
		if (end_ + raw.size() > most_) {
			stored_.clear();
			end_ = 0;
		}
		file_->write_at(raw, end_);
		stored_[key] = std::make_shared<const Stored>(Stored{end_, std::move(ends)});
		end_ += raw.size();
	} catch (const Error &) {
		stored_.clear();
		most_ = 0;
	}
}

void DecodedBlocks::keep_chunk(const ChunkCache::Key &key, Bytes chunk)
{
	std::lock_guard guard(mutex_);
	if (chunk.size() <= most_ && !stored_.contains(key))
		store(key, chunk, {static_cast<std::uint32_t>(chunk.size())});
}

std::optional<DecodedBlocks::Place> DecodedBlocks::find_chunk(const ChunkCache::Key &key, std::uint64_t size)
{
	std::lock_guard guard(mutex_);
	const auto found = stored_.find(key);
	if (found == stored_.end() || found->second->ends.size() != 1 || found->second->ends[0] != size)
		return {};
	return Place{file_, found->second->offset};
}

void DecodedBlocks::clear()
{
	cache_.clear();
	std::lock_guard guard(mutex_);
	seen_.clear();
	stored_.clear();
	end_ = 0;
}

} // namespace dig
