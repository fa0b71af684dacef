// A store is checked from its roots down: the roots follow from the layers, a layer from its
// sections and blocks, a state from its manifest, a file from its chunk list, and a list from
// chunks that are in some layer with the size that the list says.  Then come the files that are
// derived and the staging area.
//
// Each state is checked by its difference from the one before.  What they share was checked there,
// so a store with a thousand states of a million files costs what was added to it, and not their
// product.  Chunk lists share subtrees, too, and TreeSurvey visits each of them once.
//
// Damage is told, and the check goes on with the next part, because a person who has to repair the
// store needs to know all of it.  An error that says nothing about the store, such as too many open
// files, ends it instead.
//
// Nothing is locked.  Commits may go on meanwhile, and what they add is not checked.
//
// With a deadline, blocks and states are units that are sorted by their evidence: what was never verified
// comes first, then the oldest.  Whatever comes, one block or state of a unit is looked at.
#include "libdig/verbs/verify.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "libdig/os/clock.h"
#include "libdig/os/directory.h"
#include "libdig/staging/staged_content.h"
#include "libdig/store/changed_paths.h"
#include "libdig/store/state_log.h"
#include "libdig/store/tags.h"
#include "libdig/verbs/findings.h"
#include "libdig/verbs/verify_blocks.h"
#include "libdig/verbs/verify_states.h"

namespace dig {

constexpr std::int64_t save_interval_ns = 30'000'000'000;

class Verification {
public:
	Verification(const StorePaths &paths, const VerifyOptions &options)
		: paths_(paths), options_(options), work_(*options.work), findings_(options)
	{
	}

	VerifyResult run()
	{
		std::unique_ptr<Store> store;
		findings_.attempt([&] { store = std::make_unique<Store>(paths_); });
		findings_.attempt([&] { check_tags(store.get()); });
		if (store)
			check_store(*store);
		return findings_.result;
	}

private:
	// What can be looked at alone: blocks of a layer file, or the states.
	struct Unit {
		std::uint64_t home; // generation; 0 for states
		VerifiedParts::Part part;
	};

	void check_store(Store &store)
	{
		store_ = &store;
		blocks_.emplace(store, findings_, work_);
		states_.emplace(store, *blocks_, findings_, work_,
			StateVerifier::Extent{options_.is_quick, options_.compares_block_trees});
		if (!options_.is_quick && (options_.deadline_ns || Evidence::is_kept(paths_)))
			evidence_ = Evidence::load(paths_);
		begin_check();
		try {
			check_units();
		} catch (const Interrupted &) {
			if (evidence_)
				evidence_->save(store);
			throw;
		}
		work_.begin_stage("finish");
		if (last_elsewhere_ > 0)
			findings_.notice("the content of states up to @" + std::to_string(last_elsewhere_) +
				" lies in a remote; it is compared when it is read");
		findings_.attempt([&] { check_history(); });
		check_stray_layers();
		findings_.attempt([&] { ChunkIndex::check(paths_.chunk_index()); });
		findings_.attempt([&] { check_state_log(); });
		findings_.attempt([&] { check_staging(store, options_.notice); });
		finish_evidence();
		VerifyResult &result = findings_.result;
		result.hurt_files = states_->hurt_paths().count();
		result.first_hurt = states_->hurt_paths().first();
		result.last_hurt = states_->hurt_paths().last();
	}

	// How much there is to read, or how many layers to look at.
	void begin_check()
	{
		Work::Totals totals;
		each_layer_file(*store_, [&](std::uint64_t, const FileStat &stat) { totals.bytes += stat.size; });
		if (options_.is_quick)
			totals = {.items = store_->roots().size()};
		work_.begin_stage("check", totals);
	}

	// A tag names a state of this history; one that is locked has its content.  store is null where it
	// cannot be opened.
	void check_tags(Store *store)
	{
		const std::int64_t now_s = seconds_of(now_ns());
		for (const std::string &name : tag_names(paths_))
			findings_.attempt([&] {
				const std::optional<Tag> tag = find_tag(paths_, name);
				if (!tag || !store)
					return;
				const std::string path = paths_.tags() + "/" + name;
				const RootHistory roots = store->roots();
				if (tag->generation == 0 || tag->generation > roots.size() ||
					roots.at(tag->generation).root != tag->root)
					throw CorruptError("it names a root that 'roots' does not have", path, 0);
				if (tag->is_locked(now_s) && store->layer_table()->is_dropped(tag->generation))
					throw CorruptError("it is locked, and the content of its state was dropped", path, 0);
			});
	}

	// The roots that the layers lead to, from the first one on.
	void check_history()
	{
		MerklePeaks peaks;
		for (std::uint64_t i = 1; i <= store_->roots().size(); i++) {
			peaks.append(leaf_hash(store_->roots().at(i).layer_id));
			if (root_of(peaks) != store_->roots().at(i).root)
				throw CorruptError("the root of generation " + std::to_string(i) +
					" does not follow from the layers", paths_.roots(), 0);
		}
	}

	// --- units, and what is known of them ---------------------------------------------

	void check_units()
	{
		if (options_.deadline_ns) {
			for (const Unit &unit : units_by_age()) {
				if (is_over())
					return;
				findings_.attempt([&] { look_at(unit); });
			}
			return;
		}
		const std::uint64_t count = store_->roots().size();
		for (std::uint64_t i = 1; i <= count; i++) {
			const std::uint64_t home = store_->layer_table()->home(i);
			// A file is looked at once, with its first generation.
			if (i == 1 || store_->layer_table()->home(i - 1) != home)
				findings_.attempt([&] { look_at({home, {0, UINT32_MAX, 0}}); });
			look_at({0, {i - 1, i, 0}});
		}
		states_->end_at(count);
	}

	std::vector<Unit> units_by_age()
	{
		std::vector<Unit> units;
		for (const VerifiedParts::Part &part : evidence_->states().with_gaps(store_->roots().size()))
			units.push_back({0, part});
		for (std::uint64_t i = 1; i <= store_->roots().size(); i = store_->layer_table()->home(i) + 1) {
			const std::uint64_t home = store_->layer_table()->home(i);
			const auto layer = open_layer(home);
			if (!layer)
				continue;
			const std::uint64_t count = std::max<std::uint64_t>(layer->block_count(), 1);
			for (const VerifiedParts::Part &part : blocks_of(*layer).with_gaps(count))
				units.push_back({home, part});
		}
		std::stable_sort(units.begin(), units.end(),
			[](const Unit &a, const Unit &b) { return a.part.time_s < b.part.time_s; });
		return units;
	}

	bool is_over() const { return has_progress_ && options_.deadline_ns && clock_ns() >= options_.deadline_ns; }

	std::shared_ptr<Layer> open_layer(std::uint64_t home)
	{
		std::shared_ptr<Layer> layer;
		findings_.attempt([&] { layer = store_->layer(home); });
		if (!layer)
			lost_homes_.insert(home);
		return layer;
	}

	// A layer that cannot be opened is told of where it is looked at.
	bool is_elsewhere(std::uint64_t home)
	{
		try {
			return store_->layer(home)->is_elsewhere();
		} catch (const CorruptError &) {
			return false;
		}
	}

	VerifiedParts &blocks_of(const Layer &layer)
	{
		return evidence_->blocks(Evidence::layer_file(*store_, layer.generations().last, layer.file().stat()),
			layer.block_count());
	}

	void look_at(const Unit &unit)
	{
		const std::int64_t now_s = seconds_of(now_ns());
		if (unit.home == 0) {
			look_at_states(unit.part, now_s);
			return;
		}
		const std::shared_ptr<Layer> layer = open_layer(unit.home);
		if (!layer)
			return;
		const std::uint64_t before = findings_.count();
		if (unit.part.first == 0)
			findings_.attempt([&] { layer->check_structure(); });
		if (options_.is_quick || layer->is_elsewhere())
			return;
		const bool is_whole = before == findings_.count();
		const BlockVerifier::Outcome outcome = blocks_->check(*layer, unit.home, {
			static_cast<std::uint32_t>(unit.part.first), static_cast<std::uint32_t>(unit.part.end),
			[this] { return has_progress_.exchange(true) && is_over(); }});
		// The rest of the file is no blocks.
		if (!options_.deadline_ns)
			work_.total_bytes.set(work_.total_bytes.get() - (layer->file_size() - outcome.bytes));
		if (!evidence_ || !is_whole)
			return;
		VerifiedParts &parts = blocks_of(*layer);
		parts.add({unit.part.first, layer->block_count() == 0 ? 1 : outcome.end, now_s});
		for (const std::uint32_t block : outcome.damaged)
			parts.remove(block, block + 1);
		save_now_and_then();
	}

	void look_at_states(const VerifiedParts::Part &part, std::int64_t now_s)
	{
		std::uint64_t at = part.first;
		if (options_.deadline_ns)
			states_->begin_behind(at);
		for (; at < part.end && !is_over(); at++) {
			const std::uint64_t home = store_->layer_table()->home(at + 1);
			const bool is_lost = lost_homes_.contains(home);
			if (!is_lost && is_elsewhere(home)) {
				last_elsewhere_ = std::max(last_elsewhere_, at + 1);
				states_->begin_behind(at + 1);
				continue;
			}
			const std::uint64_t before = findings_.count();
			findings_.attempt([&] { states_->check(at + 1, is_lost); });
			has_progress_ = true;
			if (!evidence_)
				continue;
			if (before == findings_.count() && states_->hurt_paths().is_empty())
				evidence_->states().add({at, at + 1, now_s});
			else
				evidence_->states().remove(at, at + 1);
			save_now_and_then();
		}
		if (options_.deadline_ns)
			states_->end_at(at);
	}

	void save_now_and_then()
	{
		if (clock_ns() < saved_ns_ + save_interval_ns)
			return;
		evidence_->save(*store_);
		saved_ns_ = clock_ns();
	}

	void finish_evidence()
	{
		if (!evidence_)
			return;
		if (!evidence_->save(*store_))
			findings_.notice("cannot write " + quote(paths_.evidence()) + "; what was verified is not noted");
		findings_.result.evidence = evidence_->summary(*store_, seconds_of(now_ns()));
	}

	// --- what is derived --------------------------------------------------------------

	// It is not durable, so that a power cut may tear it.
	void check_state_log()
	{
		store_->refresh();
		check_noted_states(paths_, store_->roots(), [this](const std::string &problem) {
			findings_.notice(problem + "; it is a second copy, and the next commit to this file mends it");
		});
		check_changed_paths(paths_, store_->roots().size(), [this](const std::string &problem) {
			findings_.notice(problem + "; it makes 'dig log' faster and can be removed");
		});
	}

	void check_stray_layers()
	{
		const std::vector<std::string> names = names_in(paths_.layers());
		store_->refresh(); // commits may have ended meanwhile
		for (const std::string &name : names) {
			const std::optional<Digest> id = parse_digest(name.substr(0, name.find('.')));
			if (id && is_layer_file(name, *id))
				continue;
			// Left by a commit that was interrupted, perhaps; no state needs it.
			findings_.notice(quote(paths_.layers() + "/" + name) + " belongs to no generation; it is left alone");
		}
	}

	bool is_layer_file(const std::string &name, const Digest &id) const
	{
		const std::vector<MergedLayer> &merged = store_->layer_table()->merged();
		// A layer beside the one that it was merged into is left by a gc that was interrupted, and the next one
		// takes it away.
		return name.ends_with(".merged")
			? std::any_of(merged.begin(), merged.end(), [&](const MergedLayer &one) { return one.pack_id == id; })
			: store_->roots().find_layer(id).has_value();
	}

	const StorePaths &paths_;
	const VerifyOptions &options_;
	Work &work_;
	Store *store_ = nullptr;
	Findings findings_;
	std::optional<BlockVerifier> blocks_;
	std::optional<StateVerifier> states_;
	std::set<std::uint64_t> lost_homes_; // that could not be opened
	std::uint64_t last_elsewhere_ = 0; // generation
	std::optional<Evidence> evidence_;
	std::int64_t saved_ns_ = clock_ns();
	std::atomic<bool> has_progress_ = false;
};

VerifyResult verify_store(const StorePaths &paths, const VerifyOptions &options)
{
	return Verification(paths, options).run();
}

} // namespace dig
