// Which items of a store are needed, and where they lie.
#ifndef DIG_REACHABILITY_H
#define DIG_REACHABILITY_H

#include "libdig/format/record_sorter.h"
#include "libdig/staging/index.h"
#include "libdig/staging/item_set.h"
#include "libdig/store/store.h"

namespace dig {

// Where a needed item lies.  Ordered as layer files are read.
struct ItemSpot {
	std::uint32_t generation; // the home of its file
	std::uint32_t block;
	std::uint16_t item;
	std::uint16_t zero = 0;

	bool operator<(const ItemSpot &other) const
	{
		const auto place = [](const ItemSpot &spot) { return std::uint64_t(spot.generation) << 32 | spot.block; };
		return place(*this) != place(other) ? place(*this) < place(other) : item < other.item;
	}
	bool operator==(const ItemSpot &other) const = default;
};

// The first bits of the digest of an item that is needed, in their order.  If two items have them in common,
// both are kept.
struct LiveItem {
	std::uint64_t high;
	std::uint64_t low; // its last bit is 1 where the item may be in the pack only

	explicit LiveItem(const Digest &digest, bool may_be_staged = false);
	LiveItem() = default;
	bool may_be_staged() const { return low & 1; }
	bool is_same_item(const LiveItem &other) const { return high == other.high && low >> 1 == other.low >> 1; }
	bool operator<(const LiveItem &other) const { return high != other.high ? high < other.high : low < other.low; }
};

// Collects items outside of memory: some 30 MiB, whatever the store.
class LiveItems {
public:
	// Files without a name go into directory.
	LiveItems(Store &store, const std::string &directory);

	// All nodes and chunks of a state that was not dropped; what states share is visited once.
	void add_state(std::uint64_t generation);
	// What this state has is not wanted, nor what others have that were excluded.  Before any state is added.
	void exclude_state(std::uint64_t generation);
	// The same for what is staged, as with add_staged().
	void exclude_staged(const Index &index);
	// What is staged, as far as it lies in layers: what entries of the index name, and what no entry names
	// yet: nodes in the pack, and what interrupted adds were at.
	void add_staged(const Index &index);
	std::uint64_t count() const { return items_.count(); }

	// Finds the places, and ends the collecting.  CorruptError when an item of a state is in no layer.
	void locate();
	// After locate(): of what these files, by their homes, hold a second copy of, reads the copy that counts.
	// Where that is damaged, the second one counts in its place if it is good.
	void prefer_good_copies(const std::vector<std::uint64_t> &homes);
	// In order, after locate(); as often as it is called.
	RecordSorter<ItemSpot>::Records spots();

	// After locate(): what a state that came later, or what is staged by now, needs besides, as far as it
	// was not told before.
	using Take = std::function<void(ItemKind, const Digest &)>;
	void each_new(std::uint64_t generation, const Take &take);
	void each_newly_staged(const Index &index, const Take &take);

private:
	void add(ItemKind kind, const Digest &id);
	void visit(TreeKind kind, const Digest &id, Buffer stored);
	void visit_child(TreeKind kind, const Digest &id);
	void visit_entry(const Entry &entry);
	void visit_checkpoints(const Index &index);
	void begin_excluding();
	struct Copy;
	struct Doubt;
	RunRecords all_items() const;
	void compare_copies(RecordSorter<Copy> &copies, RecordSorter<Doubt> &doubts);
	bool is_good(const Doubt &doubt, const ItemSpot &spot);
	Buffer read_node(const Digest &id);

	Store &store_;
	std::string directory_;
	ItemSet seen_;
	RecordSorter<LiveItem> items_;
	std::optional<RecordSorter<LiveItem>> excluded_;
	bool is_excluding_ = false;
	RecordSorter<ItemSpot> spots_;
	std::vector<ItemSpot> damaged_, substitutes_; // spots that do not count, and those that count for them
	std::function<std::optional<Buffer>(const Digest &)> staged_node_;
	std::optional<ItemPlace> last_node_; // that was read
	Take take_;
	bool is_staged_ = false; // what is added now may be in the pack only
};

} // namespace dig

#endif
