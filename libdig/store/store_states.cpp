// What a store says of its states.
#include "libdig/base/error.h"
#include "libdig/store/state_log.h"
#include "libdig/store/store.h"

namespace dig {

LayerState Store::state(std::uint64_t generation)
{
	if (alone_)
		return alone_->state(generation);
	const Digest id = roots().at(generation).layer_id;
	try {
		const std::shared_ptr<Layer> from = layer(generation);
		LayerState state = from->state(generation);
		if (state.header.id() != id)
			throw CorruptError("generation " + std::to_string(generation) + " has another layer id than 'roots' says",
				from->name(), 0);
		return state;
	} catch (const CorruptError &) {
		if (std::optional<LayerState> noted = find_noted_state(paths_, generation, id))
			return std::move(*noted);
		std::lock_guard guard(mutex_);
		if (const auto given = given_states_.find(generation); given != given_states_.end())
			return given->second;
		throw;
	}
}

void Store::set_state(std::uint64_t generation, LayerState state)
{
	std::lock_guard guard(mutex_);
	given_states_[generation] = std::move(state);
}

TreeRoot Store::manifest(std::uint64_t generation)
{
	if (generation == 0)
		return {empty_root(TreeKind::manifest), 0, 0};
	if (layer_table()->is_dropped(generation))
		throw DroppedState("the content of @" + std::to_string(generation) +
			" was dropped by 'dig gc'; only its root is left");
	const LayerHeader header = state(generation).header;
	return {header.manifest_root, header.entries, header.bytes};
}

MerklePeaks Store::peaks()
{
	const RootHistory history = roots();
	if (history.size() == 0)
		return {};
	try {
		const std::shared_ptr<Layer> newest = layer(history.size());
		if (!newest->is_merged()) {
			// Its root was compared with the history.
			MerklePeaks peaks = newest->peaks_before();
			peaks.append(leaf_hash(newest->id()));
			return peaks;
		}
	} catch (const CorruptError &) {
		// The ids of all layers are enough.
	}
	return history.peaks();
}

TreeRoot Store::head_tree() { return manifest(roots().size()); }

std::optional<Digest> Store::head_manifest()
{
	const RootHistory now = roots();
	if (now.size() == 0)
		return {};
	return manifest(now.size()).id;
}

bool Store::is_head(const std::optional<Digest> &manifest)
{
	try {
		return manifest == head_manifest();
	} catch (const CorruptError &) {
		return false;
	}
}

} // namespace dig
