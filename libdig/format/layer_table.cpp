// The file is small, so it is replaced as a whole, and that is the moment at which a merged layer counts
// and at which a state is dropped.  The files that it no longer names are removed after that.  Merged
// layers hold the same facts (their states, and what was dropped when they were made), so that the table
// can be made anew from them.
#include "libdig/format/layer_table.h"

#include <algorithm>

#include "libdig/base/digest.h"

namespace dig {

void put_ranges(Buffer &out, const std::vector<GenerationRange> &ranges)
{
	put_u32(out, static_cast<std::uint32_t>(ranges.size()));
	for (const GenerationRange &range : ranges) {
		put_u64(out, range.first);
		put_u64(out, range.last);
	}
}

static GenerationRange take_range(Cursor &cursor, std::uint64_t before)
{
	const std::uint64_t first = cursor.u64(), last = cursor.u64();
	if (first <= before || last < first)
		cursor.fail("generations are not in order");
	return {first, last};
}

std::vector<GenerationRange> take_ranges(Cursor &cursor)
{
	std::vector<GenerationRange> ranges;
	const std::size_t count = cursor.count(cursor.u32(), 16);
	for (std::size_t i = 0; i < count; i++)
		ranges.push_back(take_range(cursor, ranges.empty() ? 0 : ranges.back().last));
	return ranges;
}

LayerTable LayerTable::decode(Bytes file, std::string_view name)
{
	Cursor cursor(open_sealed_file(file, layer_table_magic, name), name, sizeof(Preamble));
	LayerTable table;
	table.epoch_ = cursor.u64();
	table.drops_ = cursor.u64();
	table.rounds_ = cursor.u64();
	const std::size_t count = cursor.count(cursor.u32(), 48);
	for (std::size_t i = 0; i < count; i++) {
		const GenerationRange range = take_range(cursor, table.merged_.empty() ? 0 : table.merged_.back().range.last);
		table.merged_.push_back({range, cursor.digest()});
	}
	table.dropped_ = take_ranges(cursor);
	cursor.expect_end();
	return table;
}

Buffer LayerTable::encoded() const
{
	Buffer body;
	put_u64(body, epoch_);
	put_u64(body, drops_);
	put_u64(body, rounds_);
	put_u32(body, static_cast<std::uint32_t>(merged_.size()));
	for (const MergedLayer &merged : merged_) {
		put_u64(body, merged.range.first);
		put_u64(body, merged.range.last);
		append(body, merged.pack_id);
	}
	put_ranges(body, dropped_);
	return sealed_file(layer_table_magic, body);
}

LayerTable LayerTable::of(std::uint64_t epoch)
{
	LayerTable table;
	table.epoch_ = epoch;
	table.drops_ = table.rounds_ = 2 * epoch + 2;
	return table;
}

bool LayerTable::overlaps(const GenerationRange &range) const
{
	return std::any_of(merged_.begin(), merged_.end(), [&](const MergedLayer &other) {
		return range.first <= other.range.last && other.range.first <= range.last;
	});
}

const MergedLayer *LayerTable::find(std::uint64_t generation) const
{
	const auto at = std::partition_point(merged_.begin(), merged_.end(),
		[&](const MergedLayer &merged) { return merged.range.last < generation; });
	return at != merged_.end() && at->range.first <= generation ? &*at : nullptr;
}

bool LayerTable::is_dropped(std::uint64_t generation) const
{
	const auto at = std::partition_point(dropped_.begin(), dropped_.end(),
		[&](const GenerationRange &range) { return range.last < generation; });
	return at != dropped_.end() && at->first <= generation;
}

std::uint64_t LayerTable::home(std::uint64_t generation) const
{
	const MergedLayer *const merged = find(generation);
	return merged ? merged->range.last : generation;
}

void LayerTable::split(const GenerationRange &range)
{
	std::erase_if(merged_, [&](const MergedLayer &old) {
		return range.first <= old.range.first && old.range.last <= range.last;
	});
}

void LayerTable::merge(const MergedLayer &merged)
{
	split(merged.range);
	const auto at = std::partition_point(merged_.begin(), merged_.end(),
		[&](const MergedLayer &other) { return other.range.last < merged.range.first; });
	merged_.insert(at, merged);
}

void LayerTable::drop(std::uint64_t generation)
{
	if (is_dropped(generation))
		return;
	auto at = std::partition_point(dropped_.begin(), dropped_.end(),
		[&](const GenerationRange &range) { return range.last < generation; });
	at = dropped_.insert(at, {generation, generation});
	if (const auto next = at + 1; next != dropped_.end() && next->first == generation + 1) {
		at->last = next->last;
		dropped_.erase(next);
	}
	if (at != dropped_.begin() && (at - 1)->last + 1 == generation) {
		(at - 1)->last = at->last;
		dropped_.erase(at);
	}
}

Digest LayerTable::source_of(const Digest &root, const GenerationRange &covered) const
{
	Buffer message;
	for (const MergedLayer &merged : merged_)
		if (merged.range.first <= covered.last && covered.first <= merged.range.last) {
			put_u64(message, merged.range.first);
			put_u64(message, merged.range.last);
			append(message, merged.pack_id);
		}
	if (message.empty())
		return root;
	Buffer whole;
	put_u8(whole, 0x06);
	append(whole, root);
	append(whole, message);
	return digest_of(whole);
}

} // namespace dig
