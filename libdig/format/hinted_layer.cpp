// Follows the hints of a layer.  Its file comes from elsewhere then, and each read may be a request.
#include "libdig/base/error.h"
#include "libdig/format/layer_hints.h"
#include "libdig/format/layer_reader.h"

namespace dig {

constexpr std::size_t max_hints = 8_MiB;

// Only where the file comes from elsewhere; they save requests and nothing else.
bool Layer::read_hints()
{
	if (!file_.has_source() || !has_section(Section::hints))
		return false;
	HintsSection section;
	try {
		section = HintsSection::decode(read_section(Section::hints, max_hints), name());
	} catch (const CorruptError &) {
		return false;
	}
	item_count_ = section.items;
	bits_ = section.bits;
	hints_ = std::make_unique<LayerHints>();
	hints_->add(section.places);
	for (Buffer &node : section.nodes)
		hints_->add_node(std::move(node));
	return true;
}

// Behind a node there are the places of what it names.
std::optional<Layer::Place> Layer::follow_hint(ItemKind kind, const Digest &digest) const
{
	const HintRecord *const known = hints_ ? hints_->find(kind, digest) : nullptr;
	if (!known)
		return {};
	const HintRecord hint = *known;
	if (hint.span == 0 || hint.span > most_span || hint.hints > hint.span)
		return Place{hint.block, hint.item};
	hints_->settle(hint);
	Buffer span(hint.span);
	if (file_.read_at(span, hint.offset) < span.size())
		return Place{hint.block, hint.item};
	try {
		const Bytes bytes = Bytes(span).last(hint.hints);
		const BlockShape shape = parse_block_prefix(bytes, name(), hint.offset);
		if (shape.length() != bytes.size() || shape.raw_size > most_span)
			return Place{hint.block, hint.item};
		Buffer raw(shape.raw_size);
		Decompressor decompressor;
		decode_block(shape, bytes.subspan(shape.prefix_size()), decompressor, raw, name(), hint.offset);
		hints_->add(decode_hints(raw));
	} catch (const CorruptError &) {
		// The index has everything.
	}
	return Place{hint.block, hint.item};
}

std::optional<BlockRecord> Layer::hinted_block(std::uint32_t number) const
{
	if (!hints_)
		return {};
	std::lock_guard guard(mutex_);
	const HintRecord *const hint = hints_->find_block(number);
	if (!hint)
		return {};
	BlockRecord record{};
	record.offset = hint->offset;
	record.length = hint->length;
	record.raw_size = hint->raw_size;
	record.items = hint->items;
	record.codec = hint->codec;
	record.kind = hint->kind;
	require_in_blocks(record, 0);
	return record;
}

std::optional<Buffer> Layer::hinted_node(const Digest &id) const
{
	if (!hints_)
		return {};
	std::lock_guard guard(mutex_);
	const Buffer *const node = hints_->find_node(id);
	return node ? std::optional(*node) : std::nullopt;
}

std::optional<Layer::Place> Layer::find_in_index(ItemKind kind, const Digest &digest) const
{
	std::lock_guard guard(mutex_);
	if (hints_)
		hints_->forget(digest);
	return look_up(kind, digest);
}

} // namespace dig
