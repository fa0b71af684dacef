#include "libdig/store/elsewhere.h"

#include <algorithm>

#include "libdig/base/error.h"

namespace dig {

static OpenPackRanges opener = nullptr;

void set_open_pack_ranges(OpenPackRanges open) { opener = open; }

std::shared_ptr<PackRanges> open_pack_ranges(const StorePaths &paths)
{
	if (!opener)
		throw Error("the content is in a remote, which this program does not reach");
	return opener(paths);
}

class BlocksInPacks : public ByteSource {
public:
	BlocksInPacks(std::vector<PackElsewhere> packs, std::shared_ptr<PackRanges> ranges)
		: packs_(std::move(packs)), ranges_(std::move(ranges))
	{
		std::uint64_t end = elsewhere_begin;
		for (const PackElsewhere &pack : packs_)
			ends_.push_back(end += pack.size);
	}

	// A block lies in one pack.
	std::size_t read_at(MutableBytes buffer, std::uint64_t offset) override
	{
		const std::optional<Place> place = place_of(offset, buffer.size());
		if (!place)
			return 0;
		ranges_->read(*place->pack, buffer, place->offset);
		return buffer.size();
	}

	void will_need(std::uint64_t offset, std::uint64_t size) override
	{
		if (const std::optional<Place> place = place_of(offset, size))
			ranges_->will_need(*place->pack, place->offset, size);
	}

	void distrust(std::uint64_t offset, std::uint64_t size) override
	{
		if (const std::optional<Place> place = place_of(offset, size))
			ranges_->distrust(*place->pack, place->offset, size);
	}

private:
	struct Place {
		const PackElsewhere *pack;
		std::uint64_t offset;
	};

	std::optional<Place> place_of(std::uint64_t offset, std::uint64_t size) const
	{
		const auto end = std::upper_bound(ends_.begin(), ends_.end(), offset);
		if (offset < elsewhere_begin || end == ends_.end() || size > *end - offset)
			return {};
		const PackElsewhere &pack = packs_[static_cast<std::size_t>(end - ends_.begin())];
		return Place{&pack, offset - (*end - pack.size)};
	}

	std::vector<PackElsewhere> packs_;
	std::vector<std::uint64_t> ends_;
	std::shared_ptr<PackRanges> ranges_;
};

std::shared_ptr<ByteSource> blocks_in_packs(std::vector<PackElsewhere> packs, std::shared_ptr<PackRanges> ranges)
{
	return std::make_shared<BlocksInPacks>(std::move(packs), std::move(ranges));
}

} // namespace dig
