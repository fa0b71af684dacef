// A merged layer of the newest states that the layer table does not name yet.
#ifndef DIG_ADOPTED_LAYER_H
#define DIG_ADOPTED_LAYER_H

#include "libdig/format/layer_table.h"
#include "libdig/format/root_history.h"
#include "libdig/store/store_paths.h"

namespace dig {

// A process that imported states may have been killed before the table named their file.  Looks for the file if
// the newest state has none, and puts it into the table; true if it did.  One stat where nothing is missing.
bool adopt_layer(const StorePaths &paths, const RootHistory &roots, LayerTable &table);

} // namespace dig

#endif
