// Where a layer has what a path leads to, for readers to whom each read is a request.
//
// The section of hints has the upper nodes of the manifest, and the places of the nodes below them.  Behind each
// node of a tree lies a chunk with the places of what the node names.  A place tells how many bytes to read at
// once, so that node and places come together.  Nothing here is believed: what is read is compared with its digest,
// and the chunk index has everything, too.
#ifndef DIG_LAYER_HINTS_H
#define DIG_LAYER_HINTS_H

#include <unordered_map>
#include <vector>

#include "libdig/format/layer_format.h"

namespace dig {

// As it is stored.
struct HintRecord {
	le64 digest_begin; // its first 8 bytes
	le32 block;
	le16 item;
	std::uint8_t kind;
	std::uint8_t codec; // of the block, as all that follows
	le64 offset;
	le32 length;
	le32 raw_size;
	le16 items;
	le16 zero;
	le32 span;  // bytes to read from offset on; 0: the block alone
	le32 hints; // the last bytes of the span: the block of a chunk with places
};
static_assert(sizeof(HintRecord) == 44);

HintRecord hint_of(ItemKind kind, const Digest &digest, std::uint32_t block, std::uint16_t item,
	const BlockRecord &record);
constexpr std::uint32_t most_span = 4_MiB;
constexpr std::size_t most_hints_in_chunk = 4096;

struct HintsSection {
	std::uint64_t items = 0; // the head of the chunk index
	int bits = 0;
	std::vector<HintRecord> places;
	std::vector<Buffer> nodes; // stored

	Buffer encoded() const;
	// CorruptError.
	static HintsSection decode(Bytes section, std::string_view name);
};

Buffer encoded_hints(const std::vector<HintRecord> &places);
// Nothing if it is none.
std::vector<HintRecord> decode_hints(Bytes chunk);

// What a reader knows of places.
class LayerHints {
public:
	void add(const std::vector<HintRecord> &places);
	void add_node(Buffer stored);
	const HintRecord *find(ItemKind kind, const Digest &digest) const;
	const HintRecord *find_block(std::uint32_t number) const;
	const Buffer *find_node(const Digest &id) const;
	// The hint was followed.
	void settle(const HintRecord &hint) { places_[hint.digest_begin].span = 0; }
	void forget(const Digest &digest);

private:
	std::unordered_map<std::uint64_t, HintRecord> places_; // by digest_begin
	std::unordered_map<std::uint32_t, HintRecord> blocks_; // by number
	std::vector<std::pair<Digest, Buffer>> nodes_;
};

} // namespace dig

#endif
