// A layer by the name of its file or by its URL, in the place of a store.
#ifndef DIG_LAYER_AT_H
#define DIG_LAYER_AT_H

#include <optional>
#include <string>

#include "libdig/store/store.h"

namespace dig {

// "./x.dig:PATH", "x.dig", "https://host/x.dig:PATH", "s3://bucket/x.merged:PATH"
struct LayerName {
	std::string place; // path or URL
	std::string path;  // behind the colon
};
// Nothing for what is a name in a store, as "HEAD:x.dig".
std::optional<LayerName> layer_in(std::string_view name);
// The place of what is a whole layer; UsageError for other names.
std::string require_layer(const std::string &name);

// By ranges, if it is a URL.  Nothing comes that is not asked for, unless all is going to be.
std::shared_ptr<Layer> open_layer_at(const std::string &place, bool is_for_all = false);

} // namespace dig

#endif
