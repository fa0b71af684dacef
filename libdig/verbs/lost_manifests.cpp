#include "libdig/verbs/lost_manifests.h"

#include <algorithm>

#include "libdig/staging/index.h"

namespace dig {

constexpr std::size_t most_tried = 12; // paths that a lost commit may have changed or not

class LostManifests {
public:
	LostManifests(LostItems &items, const std::function<void(const std::string &)> &notice)
		: items_(items), store_(items.store()), notice_(notice)
	{
	}

	void run()
	{
		for (const auto &[home, hurt] : items_.hurt_homes()) {
			if (!hurt.is_lost)
				continue;
			const MergedLayer *const merged = store_.layer_table()->find(home);
			for (std::uint64_t i = merged ? merged->range.first : home; i <= home; i++)
				make_manifest(i);
		}
	}

private:
	// A path that may have been changed by a lost commit.  Content that is lost was its own; content that only
	// later layers have was not; of empty files, of removals and of older content nothing tells.
	enum class Doubt : std::uint8_t { taken, left, open };
	struct Candidate {
		std::optional<Entry> entry; // nothing: removed
		Doubt doubt;
	};
	using Candidates = std::map<std::string, Candidate>;

	void make_manifest(std::uint64_t generation)
	{
		if (store_.layer_table()->is_dropped(generation))
			return;
		try {
			const LayerHeader header = store_.state(generation).header;
			if (items_.find_node(header.manifest_root))
				return;
			TreeRoot before(empty_root(TreeKind::manifest), 0, 0);
			if (generation > 1) {
				const LayerHeader last = store_.state(generation - 1).header;
				before = {last.manifest_root, last.entries, last.bytes};
			}
			for (const Candidates &candidates : {from_later_state(before, generation), from_index(before, generation)})
				if (try_all(before, candidates, header.manifest_root))
					return;
		} catch (const CorruptError &error) {
			if (notice_)
				notice_("the list of files of @" + std::to_string(generation) + " cannot be made: " +
					error.what());
		}
	}

	Candidate candidate_of(const Entry &entry, std::uint64_t generation)
	{
		if (entry.form == ContentForm::none)
			return {entry, Doubt::open};
		const ItemKind kind = entry.form == ContentForm::chunk ? ItemKind::chunk : ItemKind::node;
		if (items_.found().has(kind, entry.content) || items_.is_missing(kind, entry.content))
			return {entry, Doubt::taken};
		try {
			const std::optional<ItemPlace> place = store_.find_item(kind, entry.content);
			if (place && store_.layer(place->generation)->generations().first > generation)
				return {entry, Doubt::left};
		} catch (const CorruptError &) {
			// Then nothing tells.
		}
		return {entry, Doubt::open};
	}

	// What the index has otherwise than the state before.
	Candidates from_index(const TreeRoot &before, std::uint64_t generation)
	{
		Candidates candidates;
		const Index index = Index::open(store_.paths().staging());
		TreeCursor old(TreeKind::manifest, before, items_.nodes());
		IndexCursor now = index.cursor();
		for (old.settle(); !old.at_end() || now.current();) {
			const int order = !now.current() ? -1 : old.at_end() ? 1 : old.path().compare(now.path());
			if (order < 0 || (order == 0 && now.current()->is_removed))
				candidates[std::string(old.path())] = {std::nullopt, Doubt::open};
			else if (!now.current()->is_removed && (order > 0 || !(old.entry() == now.current()->entry)))
				candidates[std::string(now.path())] = candidate_of(now.current()->entry, generation);
			if (order <= 0)
				old.next();
			if (order >= 0)
				now.next();
		}
		return candidates;
	}

	// What the next state that can be read has otherwise.
	Candidates from_later_state(const TreeRoot &before, std::uint64_t generation)
	{
		Candidates candidates;
		for (std::uint64_t i = generation + 1; i <= store_.roots().size(); i++) {
			if (store_.layer_table()->is_dropped(i))
				continue;
			try {
				const LayerHeader later = store_.state(i).header;
				candidates.clear();
				diff_manifests(before, {later.manifest_root, later.entries, later.bytes}, items_.nodes(),
					[&](const Entry *old, const Entry *entry) {
						candidates[entry ? entry->path : old->path] = 
							entry ? candidate_of(*entry, generation) : Candidate{std::nullopt, Doubt::open};
					});
				return candidates;
			} catch (const CorruptError &) {
				// It is hurt as well.
			}
		}
		return {};
	}

	// Of several paths with the same lost content, a later state may have made all but one.
	static void doubt_copies(Candidates &candidates)
	{
		std::map<Digest, Candidate *> first;
		for (auto &[path, candidate] : candidates) {
			if (candidate.doubt != Doubt::taken)
				continue;
			const auto [at, is_new] = first.try_emplace(candidate.entry->content, &candidate);
			if (!is_new)
				at->second->doubt = candidate.doubt = Doubt::open;
		}
	}

	// What is open is tried in all ways if it is little; else none of it, all, or all of a kind.
	bool try_all(const TreeRoot &before, Candidates candidates, const Digest &root)
	{
		doubt_copies(candidates);
		std::vector<const Candidate *> open;
		for (const auto &[path, candidate] : candidates)
			if (candidate.doubt == Doubt::open)
				open.push_back(&candidate);
		if (open.size() <= most_tried) {
			for (std::uint32_t choice = 0; choice < std::uint32_t(1) << open.size(); choice++) {
				std::size_t number = 0;
				if (try_manifest(before, candidates, root, [&](const Candidate &) { return choice >> number++ & 1; }))
					return true;
			}
			return false;
		}
		const std::function<bool(const Candidate &)> choices[] = {
			[](const Candidate &) { return true; },
			[](const Candidate &) { return false; },
			[](const Candidate &one) { return one.entry.has_value(); },
			[](const Candidate &one) { return !one.entry.has_value(); },
			[](const Candidate &one) { return one.entry && one.entry->form == ContentForm::none; },
		};
		return std::any_of(std::begin(choices), std::end(choices),
			[&](const auto &is_taken) { return try_manifest(before, candidates, root, is_taken); });
	}

	// is_taken is asked for what is open, in order.
	bool try_manifest(const TreeRoot &before, const Candidates &candidates, const Digest &root,
		const std::function<bool(const Candidate &)> &is_taken)
	{
		std::vector<std::pair<Digest, Buffer>> made;
		auto at = candidates.begin();
		const auto next = [&]() -> std::optional<ManifestChange> {
			for (; at != candidates.end(); ++at) {
				const Candidate &one = at->second;
				if (one.doubt == Doubt::taken || (one.doubt == Doubt::open && is_taken(one))) {
					ManifestChange change{at->first, one.entry};
					++at;
					return change;
				}
			}
			return {};
		};
		const NodeRef result = update_manifest(before, items_.nodes(), next,
			[&](const Digest &id, Bytes stored) { made.emplace_back(id, Buffer(stored.begin(), stored.end())); });
		if (result.id != root)
			return false;
		for (const auto &[id, stored] : made)
			items_.take(ItemKind::node, id, stored);
		return true;
	}

	LostItems &items_;
	Store &store_;
	const std::function<void(const std::string &)> &notice_;
};

void make_lost_manifests(LostItems &items, const std::function<void(const std::string &)> &notice)
{
	LostManifests(items, notice).run();
}

} // namespace dig
