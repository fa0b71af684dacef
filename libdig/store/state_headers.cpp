#include "libdig/store/state_headers.h"

#include "libdig/store/state_log.h"

namespace dig {

const LayerHeader &StateHeaders::at(std::uint64_t generation)
{
	if (first_ == 0 || generation < first_ || generation - first_ >= headers_.size()) {
		first_ = (generation - 1) / states_a_file * states_a_file + 1;
		headers_.assign(states_a_file, {});
		each_noted_header(store_.paths(), generation, [&](std::uint64_t number, LayerHeader header) {
			if (number <= roots_.size())
				headers_[number - first_] = std::move(header);
		});
	}
	std::optional<LayerHeader> &header = headers_[generation - first_];
	// The id is that of the header, so that this checks all of it.
	if (!header || header->id() != roots_.at(generation).layer_id)
		header = store_.state(generation).header;
	return *header;
}

} // namespace dig
