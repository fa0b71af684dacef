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
#include "libdig/verbs/verify.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <set>
#include <thread>

#include "libdig/base/path.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"
#include "libdig/staging/item_set.h"
#include "libdig/staging/staged_content.h"
#include "libdig/staging/tree_survey.h"
#include "libdig/store/state_log.h"

namespace dig {

// What the process takes besides blocks.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t thread_memory = 192_KiB; // a decompressor and a stack
constexpr std::uint64_t least_memory = 8_MiB;    // for blocks
constexpr std::uint64_t thread_blocks = 6_MiB;   // more would not be used
constexpr std::size_t most_hurt_paths = 10000;  // some MB

// Whether a path that is new in a state has its place to itself: nothing that is no directory may
// stand above it, and nothing below.
class PlaceCheck {
public:
	PlaceCheck(Store &store, const TreeRoot &manifest, std::uint64_t generation, bool is_first)
		: above_{store, manifest}, below_{store, manifest}, generation_(generation), is_first_(is_first)
	{
	}

	// Paths in order.
	void check(const std::string &path)
	{
		check_above(path);
		last_ = path;
		// In the first state all that lies below is new as well.
		if (!is_first_ && below_.seek(path + "/") && is_within(below_.cursor->path(), path))
			fail(path, std::string(below_.cursor->path()));
	}

private:
	// Goes forward as long as it can, as it nearly always can.
	struct Place {
		Store &store;
		TreeRoot manifest;
		std::optional<TreeCursor> cursor = {};
		std::string last = {};

		// False at the end.
		bool seek(const std::string &path)
		{
			if (!cursor || path < last)
				cursor.emplace(TreeKind::manifest, manifest, store.nodes());
			last = path;
			cursor->seek(path);
			return !cursor->at_end();
		}
	};

	static std::size_t common_length(std::string_view a, std::string_view b)
	{
		return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
	}

	// A path may have 32,767 directories above it, so that not each of them is looked up: an entry
	// that was found tells of all directories before it.
	void check_above(const std::string &path)
	{
		// What stands above the last path as well was looked up for that one.
		std::size_t end = path.find('/', common_length(last_, path));
		while (end != path.npos && above_.seek(path.substr(0, end))) {
			const std::string_view found = above_.cursor->path();
			const std::size_t common = common_length(found, path);
			if (common == found.size() && common < path.size() && path[common] == '/')
				fail(std::string(found), path);
			if (common == path.size() || (common < found.size() && path[common] < found[common]))
				return;
			end = path.find('/', std::max(common, end + 1));
		}
	}

	void fail(const std::string &above, const std::string &path) const
	{
		throw CorruptError("@" + std::to_string(generation_) + " has " + quote(path) + " below " + quote(above) +
			", which is no directory");
	}

	Place above_, below_;
	std::uint64_t generation_;
	bool is_first_;
	std::string last_;
};

class Verification {
public:
	Verification(const StorePaths &paths, const VerifyOptions &options)
		: paths_(paths), options_(options), work_(*options.work)
	{
	}

	VerifyResult run()
	{
		std::unique_ptr<Store> store;
		attempt([&] { store = std::make_unique<Store>(paths_); });
		attempt([&] { check_tags(); });
		if (store) {
			store_ = store.get();
			lists_.emplace(store->nodes(), temporary_directory());
			begin_check();
			for (std::uint64_t i = 1; i <= store->roots().size(); i++)
				attempt([&] { check_generation(i); });
			while (!hurt_paths_.empty())
				end_hurt(hurt_paths_.begin(), store->roots().size());
			work_.begin_stage("finish");
			attempt([&] { check_history(); });
			check_stray_layers();
			attempt([&] { ChunkIndex::check(paths_.chunk_index()); });
			attempt([&] { check_state_log(); });
			attempt([&] { check_staging(*store, options_.notice); });
		}
		return result_;
	}

private:
	struct Hurt {
		std::uint64_t since; // generation
		std::string why;
	};
	using HurtPaths = std::map<std::string, Hurt, std::less<>>;

	template <typename Check> void attempt(Check check)
	{
		try {
			check_interrupted();
			check();
		} catch (const Interrupted &) {
			throw;
		} catch (const SystemError &error) {
			// What this process lacks is no damage.
			if (error.error() == EMFILE || error.error() == ENFILE || error.error() == ENOMEM)
				throw;
			if (error.error() != EACCES && error.error() != EPERM)
				return tell(error.what());
			result_.unreadable++;
			if (options_.unreadable && told_unreadable_.insert(error.what()).second)
				options_.unreadable(error.what());
		} catch (const Error &error) {
			tell(error.what());
		}
	}
	// How much there is to read, or how many layers to look at.
	void begin_check()
	{
		Work::Totals totals;
		const std::shared_ptr<const LayerTable> table = store_->layer_table();
		for (std::uint64_t i = 1; i <= store_->roots().size(); i = table->home(i) + 1) {
			const MergedLayer *const merged = table->find(i);
			if (const auto stat = find_stat(merged ? paths_.merged_layer(merged->pack_id)
				: paths_.layer(store_->roots().at(i).layer_id)))
				totals.bytes += stat->size;
		}
		if (options_.is_quick)
			totals = {.items = store_->roots().size()};
		work_.begin_stage("check", totals);
	}

	void tell(const std::string &problem)
	{
		result_.problems++;
		options_.problem(problem);
	}

	void check_tags()
	{
		const std::string directory = paths_.store + "/tags";
		if (!find_stat(directory))
			return;
		for (const std::string &name : names_in(directory))
			attempt([&] {
				const std::string path = directory + "/" + name;
				open_sealed_file(read_whole_file(path, 64_KiB), "DIGTAG01", path);
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

	void check_generation(std::uint64_t generation)
	{
		const std::shared_ptr<Layer> layer = store_->layer(generation);
		const LayerHeader header = store_->state(generation).header;
		const Digest parent = generation > 1 ? store_->roots().at(generation - 1).root : Digest();
		if (header.parent_root != parent)
			tell(quote(layer->name()) + " has another parent than the generation before it");
		if (header.chunking != store_->chunking().digest())
			tell(quote(layer->name()) + " was made with other chunking parameters than the store has");
		// A file is looked at once, with its first generation.
		if (layer->generations().first == generation) {
			attempt([&] { layer->check_structure(); });
			if (!options_.is_quick)
				check_blocks(*layer, layer->generations().last);
		}
		StepClock clock(work_);
		if (!store_->layer_table()->is_dropped(generation))
			attempt([&] {
				check_state(generation, *layer);
				last_state_ = generation;
			});
		clock.lap(Step::tree);
		work_.items_done.add();
	}

	static std::uint64_t memory_for_blocks(const Settings &settings)
	{
		const std::uint64_t most = memory_budget(settings);
		const std::size_t count = worker_threads(settings);
		const std::uint64_t taken = fixed_memory + count * thread_memory;
		return std::clamp(most > taken ? most - taken : 0, least_memory, (count + 2) * thread_blocks);
	}

	// Each thread needs room for a block as it is stored, and for its items.
	void carry(const Layer &layer)
	{
		const Settings &settings = store_->settings();
		const std::uint64_t block = 2 * layer.file_size() / std::max<std::uint64_t>(layer.block_count(), 1) + 1;
		const std::size_t wanted = worker_threads(settings);
		const auto carried = [&](const Settings &with) {
			return std::clamp<std::uint64_t>(memory_for_blocks(with) / block, 1, wanted);
		};
		work_.carry_workers(wanted, carried(settings), [&] {
			return memory_that_carries(settings, [&](const Settings &with) { return carried(with) >= wanted; });
		});
	}

	// All blocks, by several threads: each takes the next one.
	void check_blocks(const Layer &layer, std::uint64_t generation)
	{
		const std::size_t count = worker_threads(store_->settings());
		const std::uint64_t memory = memory_for_blocks(store_->settings());
		std::uint64_t read = 0;
		work_.workers.set(count);
		carry(layer);
		const auto damaged = [&](std::uint32_t block, std::span<const ChunkRecord> items, const std::string &problem) {
			take_damage(generation, block, items, problem);
		};
		layer.check_blocks(count, memory, damaged,
			[&](std::uint64_t bytes) {
				check_interrupted();
				read += bytes;
				work_.bytes.add(bytes);
			}, work_);
		// The rest of the file is no blocks.
		work_.total_bytes.set(work_.total_bytes.get() - (layer.file_size() - read));
	}

	// What was added again, after it was damaged, is whole.
	void take_damage(std::uint64_t generation, std::uint32_t block, std::span<const ChunkRecord> items,
		const std::string &problem)
	{
		bool is_healed = false;
		for (const ChunkRecord &item : items) {
			const ItemKind kind = static_cast<ItemKind>(item.kind);
			const ItemPlace place{generation, {block, item.item}};
			if (store_->is_good_copy(kind, item.digest, place))
				continue;
			is_healed = store_->has_other_copy(kind, item.digest, place);
			if (!is_healed)
				break;
		}
		if (!is_healed) {
			tell(problem);
			for (const ChunkRecord &item : items)
				note_if_lost(static_cast<ItemKind>(item.kind), item.digest);
			return;
		}
		result_.healed_blocks++;
		if (options_.notice)
			options_.notice(problem + "; all that the block holds is whole in another place");
	}

	void note_if_lost(ItemKind kind, const Digest &digest)
	{
		try {
			if (store_->find_item_anywhere(kind, digest))
				return;
		} catch (const CorruptError &) {
			// No copy is good.
		}
		if (!hurt_)
			hurt_.emplace(temporary_directory());
		hurt_->insert(kind, digest);
	}

	// --- damaged files, and the states that have them ---------------------------------

	void begin_hurt(const std::string &path, std::uint64_t generation, const std::string &why)
	{
		if (hurt_paths_.size() < most_hurt_paths) {
			hurt_paths_[path] = {generation, why};
			return;
		}
		// Memory is bounded: this one is told at once, and its last state is not.
		count_hurt(generation, generation);
		tell(quote(path) + " from @" + std::to_string(generation) + " on is damaged: " + why);
	}

	void end_hurt(HurtPaths::iterator at, std::uint64_t last)
	{
		const auto &[path, hurt] = *at;
		count_hurt(hurt.since, last);
		if (options_.hurt) {
			result_.problems++;
			options_.hurt({path, hurt.since, last, hurt.why});
		} else {
			tell(quote(path) + " in @" + std::to_string(hurt.since) +
				(last > hurt.since ? " to @" + std::to_string(last) : "") + " is damaged: " + hurt.why);
		}
		hurt_paths_.erase(at);
	}

	void count_hurt(std::uint64_t first, std::uint64_t last)
	{
		result_.hurt_files++;
		result_.first_hurt = result_.first_hurt ? std::min(result_.first_hurt, first) : first;
		result_.last_hurt = std::max(result_.last_hurt, last);
	}

	// Everything that this state has and the one before it had not.
	void check_state(std::uint64_t generation, const Layer &layer)
	{
		const TreeRoot after = store_->manifest(generation);
		try {
			load_root(store_->nodes(), TreeKind::manifest, after);
		} catch (const CorruptError &error) {
			throw CorruptError("the manifest of " + quote(layer.name()) + " is damaged: " + error.what());
		}
		PlaceCheck places(*store_, after, generation, last_state_ == 0);
		// The last state that could be read.
		diff_manifests(store_->manifest(last_state_), after, store_->nodes(),
			[&](const Entry *old, const Entry *entry) {
				if (old)
					if (const auto hurt = hurt_paths_.find(old->path); hurt != hurt_paths_.end())
						end_hurt(hurt, std::max(hurt->second.since, last_state_));
				if (!entry)
					return;
				attempt([&] { check_entry(*entry, generation); });
				if (!old)
					attempt([&] { places.check(entry->path); });
			});
	}

	void check_entry(const Entry &entry, std::uint64_t generation)
	{
		work_.files.add();
		try {
			if (entry.form == ContentForm::chunk)
				check_chunk(entry.content, entry.size);
			else if (entry.form == ContentForm::file_root)
				check_list(entry);
		} catch (const CorruptError &error) {
			begin_hurt(entry.path, generation, error.what());
		}
	}

	void check_list(const Entry &entry)
	{
		// A subtree with damage is never seen to its end, and so is visited for each file that has it.
		lists_->visit(TreeKind::chunk_list, content_root(entry), [this](const Node &node) {
			for (std::size_t i = 0; i < node.size(); i++)
				check_chunk(node.chunk_id(i), node.chunk_size(i));
		});
	}

	void check_chunk(const Digest &id, std::uint64_t size)
	{
		if (hurt_ && hurt_->contains(ItemKind::chunk, id))
			throw CorruptError("chunk " + to_hex(id) + " has no good copy");
		const std::optional<ItemPlace> place = store_->find_in_layers(ItemKind::chunk, id);
		if (!place)
			throw CorruptError("chunk " + to_hex(id) + " is missing: no layer holds it");
		if (options_.is_quick)
			return;
		const std::shared_ptr<Layer> layer = store_->layer(place->generation);
		if (layer->item_size(place->place) != size)
			throw CorruptError("chunk " + to_hex(id) + " has another size in " + quote(layer->name()));
	}

	// It is not durable, so that a power cut may tear it.
	void check_state_log()
	{
		store_->refresh();
		check_noted_states(paths_, store_->roots(), [this](const std::string &problem) {
			if (options_.notice)
				options_.notice(problem + "; it is a second copy, and the next commit to this file mends it");
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
			if (options_.notice)
				options_.notice(quote(paths_.layers() + "/" + name) + " belongs to no generation; it is left alone");
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
	std::uint64_t last_state_ = 0; // that was checked
	std::optional<TreeSurvey> lists_;
	VerifyResult result_;
	// Damaged in every copy.  Made when there is something.
	std::optional<ItemSet> hurt_;
	std::set<std::string> told_unreadable_;
	HurtPaths hurt_paths_; // of the state that is looked at
};

VerifyResult verify_store(const StorePaths &paths, const VerifyOptions &options)
{
	return Verification(paths, options).run();
}

} // namespace dig
