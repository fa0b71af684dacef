#include "libdig/verbs/verify_states.h"

#include "libdig/store/block_roots.h"
#include "libdig/store/state_log.h"
#include "libdig/verbs/place_check.h"

namespace dig {

constexpr std::size_t most_compared = 65536;

void StateVerifier::begin_behind(std::uint64_t generation)
{
	for (last_state_ = generation; last_state_ > 0 && store_.layer_table()->is_dropped(last_state_);)
		last_state_--;
}

void StateVerifier::check(std::uint64_t generation, bool is_lost)
{
	// The state log may know the state.
	if (is_lost && !find_noted_state(store_.paths(), generation, store_.roots().at(generation).layer_id))
		return;
	const std::string name =
		is_lost ? "@" + std::to_string(generation) : quote(store_.layer(generation)->name());
	const LayerHeader header = store_.state(generation).header;
	const Digest parent = generation > 1 ? store_.roots().at(generation - 1).root : Digest();
	if (header.parent_root != parent)
		findings_.problem(name + " has another parent than the generation before it");
	if (header.chunking != store_.chunking().digest())
		findings_.problem(name + " was made with other chunking parameters than the store has");
	StepClock clock(work_);
	if (!store_.layer_table()->is_dropped(generation))
		findings_.attempt([&] {
			check_state(generation, name);
			hurt_paths_.finish_state(last_state_);
			last_state_ = generation;
		});
	hurt_paths_.give_up_state();
	clock.lap(Step::tree);
	work_.items_done.add();
}

// Everything that this state has and the one before it had not.
void StateVerifier::check_state(std::uint64_t generation, const std::string &name)
{
	const TreeRoot after = store_.manifest(generation);
	try {
		load_root(store_.nodes(), TreeKind::manifest, after);
	} catch (const CorruptError &error) {
		throw CorruptError("the manifest of " + name + " is damaged: " + error.what());
	}
	PlaceCheck places(store_, after, generation, last_state_ == 0);
	// The last state that could be read.
	diff_manifests(store_.manifest(last_state_), after, store_.nodes(),
		[&](const Entry *old, const Entry *entry) {
			if (old)
				hurt_paths_.end(old->path);
			if (!entry)
				return;
			findings_.attempt([&] { check_entry(*entry, generation); });
			if (!old)
				findings_.attempt([&] { places.check(entry->path); });
		});
}

void StateVerifier::check_entry(const Entry &entry, std::uint64_t generation)
{
	work_.files.add();
	try {
		if (entry.form == ContentForm::chunk)
			check_chunk(entry.content, entry.size);
		else if (entry.form == ContentForm::file_root)
			check_list(entry);
		if (extent_.compares_block_trees)
			compare_block_tree(entry);
	} catch (const CorruptError &error) {
		hurt_paths_.begin(entry.path, generation, error.what());
	}
}

void StateVerifier::check_list(const Entry &entry)
{
	// A subtree with damage is never seen to its end, and so is visited for each file that has it.
	lists_.visit(TreeKind::chunk_list, content_root(entry), [this](const Node &node) {
		for (std::size_t i = 0; i < node.size(); i++)
			check_chunk(node.chunk_id(i), node.chunk_size(i));
	});
}

void StateVerifier::compare_block_tree(const Entry &entry)
{
	const std::optional<Digest> root = entry.block_tree();
	if (!root)
		return;
	// The same content may be at many paths.
	if (compared_.size() >= most_compared)
		compared_.clear();
	if (compared_.insert(digest_of({entry.content, *root})).second && tree_of_blocks(store_, entry).root() != *root) {
		compared_.clear();
		throw CorruptError("its block tree is that of other content");
	}
}

void StateVerifier::check_chunk(const Digest &id, std::uint64_t size)
{
	if (blocks_.is_lost(ItemKind::chunk, id))
		throw CorruptError("chunk " + to_hex(id) + " has no good copy");
	const std::optional<ItemPlace> place = store_.find_in_layers(ItemKind::chunk, id);
	if (!place)
		throw CorruptError("chunk " + to_hex(id) + " is missing: no layer holds it");
	if (extent_.is_quick)
		return;
	const std::shared_ptr<Layer> layer = store_.layer(place->generation);
	if (layer->item_size(place->place) != size)
		throw CorruptError("chunk " + to_hex(id) + " has another size in " + quote(layer->name()));
}

} // namespace dig
