// What a store has lost, what needs it, and what was found of it elsewhere.
#ifndef DIG_LOST_ITEMS_H
#define DIG_LOST_ITEMS_H

#include <map>
#include <unordered_map>

#include "libdig/staging/item_set.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

// Items that were found, outside of memory but for their places.
class FoundItems {
public:
	static constexpr std::size_t most = 300000; // items in one run; some 30 MiB

	explicit FoundItems(const std::string &directory) : file_(File::temporary_in(directory)) {}

	bool has(ItemKind kind, const Digest &digest) const { return places_.contains(key_of(kind, digest)); }
	void put(ItemKind kind, const Digest &digest, Bytes bytes)
	{
		if (has(kind, digest) || places_.size() >= most)
			return;
		file_.write_at(bytes, end_);
		places_[key_of(kind, digest)] = {end_, static_cast<std::uint32_t>(bytes.size()), kind, digest};
		end_ += bytes.size();
	}
	std::optional<Buffer> find(ItemKind kind, const Digest &digest) const
	{
		const auto at = places_.find(key_of(kind, digest));
		return at == places_.end() ? std::nullopt : std::optional(read(at->second));
	}
	std::size_t size() const { return places_.size(); }
	template <typename Take> void each(Take take) const
	{
		for (const auto &[key, place] : places_)
			take(place.kind, place.digest, read(place));
	}

private:
	struct Place {
		std::uint64_t offset;
		std::uint32_t size;
		ItemKind kind;
		Digest digest;
	};
	static Digest key_of(ItemKind kind, const Digest &digest)
	{
		Digest key = digest;
		if (kind == ItemKind::node)
			key.bytes[31] ^= 0x80;
		return key;
	}
	Buffer read(const Place &place) const
	{
		Buffer bytes(place.size);
		file_.read_exactly_at(bytes, place.offset);
		return bytes;
	}

	File file_;
	std::uint64_t end_ = 0;
	std::unordered_map<Digest, Place, DigestHash> places_;
};

class LostItems {
public:
	struct Hurt {
		bool is_lost = false;              // the file cannot be opened
		std::vector<std::uint32_t> blocks; // that are damaged
	};
	struct HurtEntry {
		std::string path;
		std::uint64_t size;
	};

	// Files without a name go into directory.
	LostItems(Store &store, const std::string &directory)
		: store_(store), directory_(directory), lost_(directory), found_(directory)
	{
	}

	// Reads all layer files.  notice is called for each that cannot be opened, and for each whose tables are
	// damaged, which is among the broken ones then.
	void look_for_damage(Work &work, const std::function<void(const std::string &)> &notice);
	// Layer files that have lost something that is nowhere else, by the generation of their items.
	const std::map<std::uint64_t, Hurt> &hurt_homes() const { return hurt_homes_; }
	const std::vector<std::uint64_t> &broken_homes() const { return broken_homes_; }
	// Walks all states, and notes what they need and nothing has.
	void walk_states();
	// Of that walk: paths whose content is lost, up to 100,000.
	const std::vector<HurtEntry> &hurt_entries() const { return hurt_entries_; }
	// What is known to be lost and was not found, up to a bound.
	std::vector<std::pair<ItemKind, Digest>> wanted();

	bool is_known_lost(ItemKind kind, const Digest &digest) { return lost_.contains(kind, digest); }
	std::uint64_t lost_count() const { return lost_count_; }
	// Whether no layer has it, and it was not found.
	bool is_missing(ItemKind kind, const Digest &digest);
	// Keeps an item if it is missing.
	void take(ItemKind kind, const Digest &digest, Bytes bytes);
	const FoundItems &found() const { return found_; }
	std::optional<Buffer> find_node(const Digest &id);
	// Throws a CorruptError for a node that is lost.
	NodeSource nodes();
	Store &store() { return store_; }

private:
	void note_lost(ItemKind kind, const Digest &digest);
	void look_at_file(std::uint64_t home, Work &work);
	bool walk(TreeKind kind, const Digest &id, ItemSet &seen);
	bool has_chunk(const Digest &id);
	void look_at_entry(const Entry &entry, ItemSet &seen);
	using Wanted = std::vector<std::pair<ItemKind, Digest>>;
	void collect_wanted(TreeKind kind, const Digest &id, ItemSet &seen, Wanted &wanted);

	Store &store_;
	std::string directory_;
	std::map<std::uint64_t, Hurt> hurt_homes_;
	std::vector<std::uint64_t> broken_homes_;
	ItemSet lost_;
	std::uint64_t lost_count_ = 0;
	FoundItems found_;
	std::vector<HurtEntry> hurt_entries_;
};

} // namespace dig

#endif
