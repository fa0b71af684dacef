// Parts of packs from a remote, when they are asked for.
#ifndef DIG_REMOTE_RANGES_H
#define DIG_REMOTE_RANGES_H

#include <condition_variable>
#include <functional>

#include "libdig/remote/range_cache.h"
#include "libdig/remote/remote_objects.h"
#include "libdig/store/elsewhere.h"

namespace dig {

class RemoteRanges : public PackRanges {
public:
	// start begins a connection to the remote, from which one thread at a time asks; there are some at most.
	using Start = std::function<std::unique_ptr<RemoteObjects>()>;
	// least_request: so many bytes at least come with each request, if there are so many.
	RemoteRanges(Start start, const std::string &cache_directory, std::uint64_t cache_size,
		std::uint64_t least_request = 64_KiB);

	void read(const PackElsewhere &pack, MutableBytes buffer, std::uint64_t offset) override;
	void will_need(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size) override;
	void distrust(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size) override;

private:
	struct Extent {
		std::uint64_t begin, end;
	};
	struct Kept {
		Digest pack;
		std::uint64_t begin;
		std::shared_ptr<const Buffer> bytes;
	};
	using Lock = std::unique_lock<std::mutex>;

	void forget_wanted(const Digest &pack, std::uint64_t offset);
	bool copy_kept(const Digest &pack, MutableBytes buffer, std::uint64_t offset);
	bool is_coming(const Digest &pack, const Extent &extent) const;
	Extent extent_for(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size);
	void fetch(const PackElsewhere &pack, const Extent &extent, Lock &lock);
	void give_up_connection(Lock &lock);
	Buffer ask(const PackElsewhere &pack, const Extent &extent, Lock &lock);
	void keep(const Digest &pack, std::uint64_t begin, Buffer bytes);

	Start start_;
	RangeCache cache_;
	std::uint64_t least_request_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<std::unique_ptr<RemoteObjects>> idle_;
	std::size_t started_ = 0;
	// By pack: where what will be needed begins and ends.
	std::map<Digest, std::map<std::uint64_t, std::uint64_t>> wanted_;
	std::size_t wanted_count_ = 0;
	std::list<std::pair<Digest, Extent>> coming_;
	std::list<Kept> kept_; // newest first
	std::size_t kept_size_ = 0;
	std::string failure_; // what ended the connection
	int failure_status_ = 0;
};

} // namespace dig

#endif
