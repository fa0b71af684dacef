#include "libdig/store/adopted_layer.h"

#include <algorithm>

#include "libdig/format/layer_reader.h"
#include "libdig/os/directory.h"

namespace dig {

bool adopt_layer(const StorePaths &paths, const RootHistory &roots, LayerTable &table)
{
	const std::uint64_t newest = roots.size();
	if (newest == 0 || table.find(newest) || find_stat(paths.layer(roots.at(newest).layer_id)))
		return false;
	for (const std::string &name : names_in(paths.layers())) {
		if (!name.ends_with(".merged"))
			continue;
		try {
			const Layer layer(paths.layers() + "/" + name);
			const GenerationRange range = layer.generations();
			if (range.last != newest || table.overlaps(range) ||
				layer.state(newest).header.id() != roots.at(newest).layer_id)
				continue;
			table.merge({range, layer.pack_id()});
			for (const GenerationRange &dropped : layer.dropped()) {
				const std::uint64_t last = std::min(dropped.last, range.last);
				for (std::uint64_t i = std::max(dropped.first, range.first); i <= last; i++)
					table.drop(i);
			}
			return true;
		} catch (const Error &) {
			// It is of something else.
		}
	}
	return false;
}

} // namespace dig
