// .dig/layer-table: which generations have no layer file of their own any more, and which have no
// content any more.  Without the file, each generation has its own layer and all of its content.
#ifndef DIG_LAYER_TABLE_H
#define DIG_LAYER_TABLE_H

#include <optional>
#include <vector>

#include "libdig/format/store_format.h"

namespace dig {

constexpr std::size_t max_layer_table_size = 256_MiB;

struct GenerationRange {
	std::uint64_t first, last;
	bool operator==(const GenerationRange &) const = default;
};

// A layer file that stands for the layers of these generations.
struct MergedLayer {
	GenerationRange range;
	Digest pack_id;
	bool operator==(const MergedLayer &) const = default;
};

class LayerTable {
public:
	bool operator==(const LayerTable &) const = default;
	static LayerTable decode(Bytes file, std::string_view name);
	Buffer encoded() const;

	// With this epoch, and with counts that no add has seen.
	static LayerTable of(std::uint64_t epoch);
	bool overlaps(const GenerationRange &range) const;

	// Goes up with each change of the file.  0 where there is no file.
	std::uint64_t epoch() const { return epoch_; }
	void advance() { epoch_++; }
	// Goes up when content is about to go, and when a gc has ended.
	std::uint64_t drops() const { return drops_; }
	std::uint64_t rounds() const { return rounds_; }
	void count_drop() { drops_++; }
	void count_round() { rounds_++; }

	// In the order of their generations.
	const std::vector<MergedLayer> &merged() const { return merged_; }
	const std::vector<GenerationRange> &dropped() const { return dropped_; }
	// Nothing if the generation has a layer of its own.
	const MergedLayer *find(std::uint64_t generation) const;
	bool is_dropped(std::uint64_t generation) const;
	// The generation that items in this generation's file are listed under: the last one of the file.
	std::uint64_t home(std::uint64_t generation) const;

	// Generations of the range lie in this file from now on.  Entries that lie in the range go; the
	// range must not cut through one.
	void merge(const MergedLayer &merged);
	// They have layers of their own again.  The same holds for the range.
	void split(const GenerationRange &range);
	void drop(std::uint64_t generation);
	void set_dropped(std::vector<GenerationRange> dropped) { dropped_ = std::move(dropped); }

	// What a run of the chunk index that covers these generations was made of, given the root of the
	// last one: that root, or with merged layers among them a digest of these, too.
	Digest source_of(const Digest &root, const GenerationRange &covered) const;

private:
	std::uint64_t epoch_ = 0, drops_ = 0, rounds_ = 0;
	std::vector<MergedLayer> merged_;
	std::vector<GenerationRange> dropped_;
};

// Ranges as they are stored: ascending, apart from each other.  CorruptError otherwise.
void put_ranges(Buffer &out, const std::vector<GenerationRange> &ranges);
std::vector<GenerationRange> take_ranges(Cursor &cursor);

} // namespace dig

#endif
