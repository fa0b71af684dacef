// Each request takes as long as the way to the remote and back, so there are to be few of them.  What is announced
// and lies close to what is read comes in the same request, and so does a little of what follows in any case.
//
// What came stays in memory for a while, because a request brings more than was asked for, and on disk, where
// other processes find it.  Whoever decodes a block compares it with its digest; nothing here is believed.
//
// After a failure nothing more is asked for: the next one would wait as long, and fail as well.
#include "libdig/remote/remote_ranges.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/process.h"
#include "libdig/remote/remote_layout.h"

namespace dig {

constexpr std::size_t max_connections = 4;
constexpr std::uint64_t largest_request = 4_MiB;
constexpr std::uint64_t largest_gap = 64_KiB; // that is read rather than left out
constexpr std::size_t memory_for_kept = 12_MiB;
constexpr std::size_t most_wanted = 4096;

RemoteRanges::RemoteRanges(Start start, const std::string &cache_directory, std::uint64_t cache_size,
	std::uint64_t least_request)
	: start_(std::move(start)), cache_(cache_directory, cache_size), least_request_(least_request)
{
}

void RemoteRanges::will_need(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size)
{
	std::lock_guard guard(mutex_);
	if (wanted_count_ >= most_wanted) {
		wanted_.clear();
		wanted_count_ = 0;
	}
	std::uint64_t &end = wanted_[pack.id][offset];
	wanted_count_ += end == 0;
	end = std::max(end, offset + size);
}

// It was read from where it is kept, so that no request needs to bring it.
void RemoteRanges::forget_wanted(const Digest &pack, std::uint64_t offset)
{
	wanted_count_ -= wanted_[pack].erase(offset);
}

bool RemoteRanges::copy_kept(const Digest &pack, MutableBytes buffer, std::uint64_t offset)
{
	for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
		if (kept->pack != pack || offset < kept->begin || offset + buffer.size() > kept->begin + kept->bytes->size())
			continue;
		const Bytes there = Bytes(*kept->bytes).subspan(offset - kept->begin, buffer.size());
		std::copy(there.begin(), there.end(), buffer.begin());
		kept_.splice(kept_.begin(), kept_, kept);
		forget_wanted(pack, offset);
		return true;
	}
	return false;
}

bool RemoteRanges::is_coming(const Digest &pack, const Extent &extent) const
{
	return std::any_of(coming_.begin(), coming_.end(), [&](const auto &other) {
		return other.first == pack && other.second.begin <= extent.begin && extent.end <= other.second.end;
	});
}

// What is wanted behind it, as far as it is near.
RemoteRanges::Extent RemoteRanges::extent_for(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size)
{
	Extent extent{offset, offset + size};
	std::map<std::uint64_t, std::uint64_t> &wanted = wanted_[pack.id];
	auto next = wanted.lower_bound(offset);
	while (next != wanted.end() && next->first <= extent.end + largest_gap) {
		if (next->second > extent.end && next->second - extent.begin > largest_request)
			break;
		extent.end = std::max(extent.end, next->second);
		next = wanted.erase(next);
		wanted_count_--;
	}
	extent.end = std::min(std::max(extent.end, offset + least_request_), std::max(pack.size, offset + size));
	return extent;
}

void RemoteRanges::keep(const Digest &pack, std::uint64_t begin, Buffer bytes)
{
	kept_size_ += bytes.size();
	kept_.push_front({pack, begin, std::make_shared<const Buffer>(std::move(bytes))});
	while (kept_size_ > memory_for_kept && kept_.size() > 1) {
		kept_size_ -= kept_.back().bytes->size();
		kept_.pop_back();
	}
}

void RemoteRanges::give_up_connection(Lock &lock)
{
	if (!lock.owns_lock())
		lock.lock();
	started_--;
}

Buffer RemoteRanges::ask(const PackElsewhere &pack, const Extent &extent, Lock &lock)
{
	changed_.wait(lock, [&] { return !idle_.empty() || started_ < max_connections; });
	std::unique_ptr<RemoteObjects> objects;
	if (!idle_.empty()) {
		objects = std::move(idle_.back());
		idle_.pop_back();
	} else {
		started_++;
	}
	lock.unlock();
	try {
		if (!objects)
			objects = start_();
		Buffer bytes = get_part(*objects, pack, extent.begin, extent.end - extent.begin);
		cache_.add(pack.id, bytes, extent.begin);
		lock.lock();
		idle_.push_back(std::move(objects));
		changed_.notify_all();
		return bytes;
	} catch (...) {
		give_up_connection(lock);
		throw;
	}
}

void RemoteRanges::fetch(const PackElsewhere &pack, const Extent &extent, Lock &lock)
{
	const auto coming = coming_.insert(coming_.end(), {pack.id, extent});
	try {
		keep(pack.id, extent.begin, ask(pack, extent, lock));
	} catch (const Interrupted &) {
		coming_.erase(coming);
		changed_.notify_all();
		throw;
	} catch (const Error &error) {
		failure_ = error.what();
		failure_status_ = error.status() == exit_status::failed ? exit_status::network : error.status();
	}
	coming_.erase(coming);
	changed_.notify_all();
}

void RemoteRanges::read(const PackElsewhere &pack, MutableBytes buffer, std::uint64_t offset)
{
	if (offset > pack.size || buffer.size() > pack.size - offset)
		throw CorruptError("a block lies behind the end of its pack, " + to_hex(pack.id));
	const Extent extent{offset, offset + buffer.size()};
	{
		Lock lock(mutex_);
		changed_.wait(lock, [&] { return !is_coming(pack.id, extent); });
		if (copy_kept(pack.id, buffer, offset))
			return;
	}
	const bool is_cached = cache_.read(pack.id, buffer, offset);
	Lock lock(mutex_);
	if (is_cached)
		return forget_wanted(pack.id, offset);
	for (;;) {
		changed_.wait(lock, [&] { return !is_coming(pack.id, extent); });
		if (copy_kept(pack.id, buffer, offset))
			return;
		if (!failure_.empty())
			throw Error(failure_, failure_status_);
		fetch(pack, extent_for(pack, offset, buffer.size()), lock);
	}
}

void RemoteRanges::distrust(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size)
{
	cache_.distrust(pack.id, offset, size);
	std::lock_guard guard(mutex_);
	kept_.remove_if([&](const Kept &kept) {
		const std::uint64_t end = kept.begin + kept.bytes->size();
		if (kept.pack != pack.id || kept.begin >= offset + size || offset >= end)
			return false;
		kept_size_ -= kept.bytes->size();
		return true;
	});
}

} // namespace dig
