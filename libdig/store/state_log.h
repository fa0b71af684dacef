// What each layer says of its state, a second time: .dig/states/N.  Derived; for dig log and for healing
// when a layer is lost.
#ifndef DIG_STATE_LOG_H
#define DIG_STATE_LOG_H

#include <functional>
#include <optional>

#include "libdig/format/layer_format.h"
#include "libdig/format/root_history.h"
#include "libdig/store/store_paths.h"

namespace dig {

constexpr std::uint64_t states_a_file = 1024;

// What the layer with this id said of the generation; nothing if that is not known.
std::optional<LayerState> find_noted_state(const StorePaths &paths, std::uint64_t generation, const Digest &layer_id);

// Calls take with each header that stands in the same file as the generation's, in their order.  None of
// them is checked against the history.  Nothing for a file that is not there or is damaged.
void each_noted_header(const StorePaths &paths, std::uint64_t generation,
	const std::function<void(std::uint64_t generation, LayerHeader header)> &take);

// Notes the states up to this generation that are not noted yet, as far as they stand in the same file.
// Not durable.  Under the store's lock.
using StateSource = std::function<std::optional<LayerState>(std::uint64_t generation)>;
void note_states(const StorePaths &paths, std::uint64_t generation, const StateSource &state);

// What was noted of this generation and later ones, and perhaps of some before it, is forgotten.
void forget_noted_states(const StorePaths &paths, std::uint64_t first, std::uint64_t last);

// Calls problem for each file that is damaged, torn, or lacks its last states.
void check_noted_states(const StorePaths &paths, const RootHistory &roots,
	const std::function<void(const std::string &)> &problem);

} // namespace dig

#endif
