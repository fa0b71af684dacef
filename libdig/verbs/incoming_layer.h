// Whether a layer that came from elsewhere has all that its states need.
#ifndef DIG_INCOMING_LAYER_H
#define DIG_INCOMING_LAYER_H

#include <optional>

#include "libdig/format/stored_block.h"
#include "libdig/staging/tree_survey.h"
#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

class IncomingLayer {
public:
	IncomingLayer(Store &store, const Layer &layer);

	// Compares every byte with checksums and digests; CorruptError.  Stage "check"; counts bytes.
	void check_blocks(Work &work);
	// All that a tree has and the one before has not is in the layer or in the store; else CorruptError.
	void require(const TreeRoot &before, const TreeRoot &after);
	// From the layer, once its blocks were checked, or from the store.
	NodeSource nodes()
	{
		return [this](const Digest &id) { return read_node(id); };
	}

private:
	Buffer read_node(const Digest &id);
	void require_entry(const Entry &entry);
	void require_chunk(const Digest &id, std::uint64_t size);

	Store &store_;
	const Layer &layer_;
	TreeSurvey lists_;
	std::optional<DecodedBlock> decoded_;
	std::uint32_t decoded_number_ = 0;
	Decompressor decompressor_;
};

} // namespace dig

#endif
