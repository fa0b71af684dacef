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
	// Of the store, only layers up to a generation count.
	IncomingLayer(Store &store, const Layer &layer, std::uint64_t last = std::uint64_t(-1));

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
	std::optional<ItemPlace> find_here(ItemKind kind, const Digest &id);

	Store &store_;
	const Layer &layer_;
	std::uint64_t last_;
	TreeSurvey lists_;
	std::optional<DecodedBlock> decoded_;
	std::uint32_t decoded_number_ = 0;
	Decompressor decompressor_;
};

} // namespace dig

#endif
