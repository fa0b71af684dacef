// The lists are sequences, and node boundaries follow their content: behind an edit the nodes are
// the same again, and equal subtrees are passed over wherever they lie.  Where the lists differ, a
// window of chunks of each side is searched for the nearest chunk that both have.
#include "libdig/format/range_diff.h"

#include <unordered_map>

namespace dig {

// Chunks of each side that are compared at once.  It bounds memory and time.  An insertion or a
// removal of more chunks than these shifts the lists so far against each other that they do not
// come together again, and the rest of the file counts as changed.
constexpr std::size_t window_size = 1024;

struct ListedChunk {
	Digest id;
	std::uint64_t size;
};

static std::vector<ListedChunk> window_at(TreeCursor cursor)
{
	std::vector<ListedChunk> window;
	for (cursor.settle(); !cursor.at_end() && window.size() < window_size; cursor.settle()) {
		window.push_back({cursor.chunk_id(), cursor.chunk_size()});
		cursor.skip();
	}
	return window;
}

// How many chunks of each side come before the first that both have.
static std::pair<std::size_t, std::size_t> distance_to_common(const std::vector<ListedChunk> &a,
	const std::vector<ListedChunk> &b)
{
	std::unordered_map<Digest, std::size_t, DigestHash> places;
	for (std::size_t i = 0; i < a.size(); i++)
		places.emplace(a[i].id, i);
	std::pair<std::size_t, std::size_t> best{a.size(), b.size()};
	for (std::size_t j = 0; j < b.size() && j < best.first + best.second; j++) {
		const auto place = places.find(b[j].id);
		if (place != places.end() && place->second + j < best.first + best.second)
			best = {place->second, j};
	}
	return best;
}

static void skip_rest(TreeCursor &cursor)
{
	while (!cursor.at_end())
		cursor.skip();
}

static void advance(TreeCursor &cursor, std::size_t count)
{
	for (; count > 0; count--) {
		cursor.settle();
		cursor.skip();
	}
}

void diff_chunk_lists(const TreeRoot &before, const TreeRoot &after, const NodeSource &source,
	const std::function<void(const ChangedRange &)> &found)
{
	TreeCursor a(TreeKind::chunk_list, before, source), b(TreeKind::chunk_list, after, source);
	for (;;) {
		skip_equal(a, b);
		if (a.at_end() && b.at_end())
			return;
		a.settle();
		b.settle();
		ChangedRange range{a.offset(), 0, b.offset(), 0};
		// Until both stand before the same chunk, or at their ends.
		while (!a.at_end() && !b.at_end()) {
			const std::vector<ListedChunk> left = window_at(a), right = window_at(b);
			const auto [skip_a, skip_b] = distance_to_common(left, right);
			advance(a, skip_a);
			advance(b, skip_b);
			if (skip_a < left.size() && skip_b < right.size())
				break;
		}
		if (a.at_end() || b.at_end()) {
			skip_rest(a);
			skip_rest(b);
		}
		range.size = a.offset() - range.offset;
		range.new_size = b.offset() - range.new_offset;
		found(range);
	}
}

} // namespace dig
