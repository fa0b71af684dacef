// One state in a layer file that stands alone, laid out for readers to whom each read is a request.
#ifndef DIG_FULL_LAYER_H
#define DIG_FULL_LAYER_H

#include "libdig/verbs/export_states.h"

namespace dig {

// Appends the layer of the generation to file, which must be empty: the layer that the state has in the store, with
// all of its content, in small blocks and in the order of the paths, and with hints (layer_hints).  Everything is
// compared with its digest, and compressed anew.  Stage "export"; counts bytes of content.
ExportResult export_full_layer(Store &store, const File &file, std::uint64_t generation, Work &work);

} // namespace dig

#endif
