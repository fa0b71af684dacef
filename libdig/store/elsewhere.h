// Content of a store that lies in a remote, and comes when it is asked for.
#ifndef DIG_ELSEWHERE_H
#define DIG_ELSEWHERE_H

#include <memory>

#include "libdig/format/layer_format.h"
#include "libdig/os/byte_source.h"
#include "libdig/store/store_paths.h"

namespace dig {

// Parts of packs.  Any thread.
class PackRanges {
public:
	virtual ~PackRanges() = default;
	// Throws if all of the buffer cannot be had.
	virtual void read(const PackElsewhere &pack, MutableBytes buffer, std::uint64_t offset) = 0;
	virtual void will_need(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size) = 0;
	// They were wrong, and are to be had anew.
	virtual void distrust(const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size) = 0;
};

// How packs of remotes are reached is known to the commands only: run() sets it, once.
using OpenPackRanges = std::shared_ptr<PackRanges> (*)(const StorePaths &paths);
void set_open_pack_ranges(OpenPackRanges open);
// Error where nobody has set it.
std::shared_ptr<PackRanges> open_pack_ranges(const StorePaths &paths);

// The blocks of a layer that has none itself, for Layer::read_blocks_from().
std::shared_ptr<ByteSource> blocks_in_packs(std::vector<PackElsewhere> packs, std::shared_ptr<PackRanges> ranges);

} // namespace dig

#endif
