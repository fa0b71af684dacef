// A layer is read from its end: the footer names the sections, and each section is used as it is
// needed.  A layer may hold millions of items, and a store has many layers, so none of the large
// sections is taken into memory as a whole:
//
//     find(digest): slot of the fanout -> range of records -> binary search -> block and item
//     block(n):     one record of the block table
//
// A single look-up costs two small reads for the range, and one for the records in it: there are
// some hundred of them, since digests are spread evenly.  Only a layer that is asked often keeps
// its fanout, and all records if they take at most 4 MiB.  All layers of a store share one
// IndexRoom for that, so that a thousand layers do not add up.  Mapping the file was rejected: a
// file that is cut short under a mapping ends the process by SIGBUS, and a page fault cannot name
// the layer.
//
// Opening a layer checks the footer, the section table, and the small sections (header, peaks,
// texts) against their checksums.  The chunk index and the block table are not hashed at that
// point, because this would make every command cost the size of the store.  So what a look-up reads
// from them is checked for its bounds each time, and an item is checked against its digest by
// whoever decodes it: damage in the tables gives an error, or "not there", but never other content.
// layer_check.cpp has the checks of the whole file.
//
// A layer's file is complete before it gets its name, and is never changed afterwards.  So there is
// no lock, and no state of a crash to tell from others.
#include "libdig/format/layer_reader.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/format/layer_hints.h"

namespace dig {

constexpr std::size_t max_sections = 64;
constexpr std::size_t max_small_section = 16_MiB; // header, peaks, texts
// A chunk index up to this size is kept after many look-ups, and the fanout of any.
constexpr std::size_t kept_index_size = 4_MiB;
constexpr int lookups_before_keeping = 64;
constexpr std::uint64_t unknown_size = ~std::uint64_t(0);
constexpr std::size_t max_pack_list = 64_MiB;

Layer::~Layer() { room_->give_back(taken_room_); }

Layer::Layer(const std::string &path, std::shared_ptr<IndexRoom> room)
	: Layer(File::open(path), unknown_size, std::move(room))
{
}

Layer::Layer(File file, std::uint64_t size, std::shared_ptr<IndexRoom> room)
	: file_(std::move(file)), file_size_(size == unknown_size ? file_.size() : size),
	  room_(room ? std::move(room) : std::make_shared<IndexRoom>(2 * kept_index_size))
{
	read_footer();
	read_small_sections();
}

void Layer::read_footer()
{
	const auto fail = [&](std::string_view what, std::uint64_t at) {
		throw CorruptError(what, name(), at);
	};
	if (file_size_ < sizeof(Preamble) + sizeof(Footer))
		fail("it is too short for a layer", file_size_);
	Buffer preamble(sizeof(Preamble));
	file_.read_exactly_at(preamble, 0);
	check_preamble(preamble, layer_magic, name());
	const std::uint64_t footer_offset = file_size_ - sizeof(Footer);
	Buffer raw(sizeof(Footer));
	file_.read_exactly_at(raw, footer_offset);
	Footer footer;
	std::memcpy(&footer, raw.data(), sizeof footer);
	if (std::string_view(footer.magic, 8) != footer_magic)
		fail("it does not end with a footer", footer_offset);
	if (footer.checksum != crc32_of(Bytes(raw).first(sizeof footer - 4)))
		fail("the footer's checksum is wrong", footer_offset);
	if (footer.file_size != file_size_)
		fail("it is not as long as its footer says", footer_offset);
	const std::uint64_t count = footer.section_count;
	if (count > max_sections || footer.zero[0] || footer.zero[1] || footer.flags > 1 ||
		count * sizeof(SectionRecord) > footer_offset - sizeof(Preamble) ||
		footer.section_table_offset != footer_offset - count * sizeof(SectionRecord))
		fail("the footer's numbers are out of bounds", footer_offset);
	pack_id_ = footer.pack_id;
	is_full_ = footer.flags & layer_is_full;
	Buffer table(count * sizeof(SectionRecord));
	file_.read_exactly_at(table, footer.section_table_offset);
	if (crc32_of(table) != footer.section_table_checksum)
		fail("the section table's checksum is wrong", footer.section_table_offset);
	sections_.resize(count);
	if (count > 0)
		std::memcpy(sections_.data(), table.data(), table.size());
	std::uint64_t next = 0;
	for (std::size_t i = 0; i < count; i++) {
		const SectionRecord &at = sections_[i];
		if ((i > 0 && (at.type <= sections_[i - 1].type || at.offset != next)) ||
			at.offset < sizeof(Preamble) || at.offset > footer.section_table_offset ||
			at.size > footer.section_table_offset - at.offset || at.flags > section_needed)
			fail("the section table's numbers are out of bounds", footer.section_table_offset);
		next = at.offset + at.size;
		if (at.type > static_cast<std::uint16_t>(Section::hints) && at.flags & section_needed)
			throw Error(quote(name()) + " has a section that this dig does not know; use a newer dig");
	}
	if (next != footer.section_table_offset)
		fail("the sections do not end where their table begins", footer.section_table_offset);
	is_merged_ = has_section(Section::states);
	is_pack_ = !is_merged_ && !has_section(Section::header);
}

SectionRecord Layer::section(Section type) const
{
	for (const SectionRecord &at : sections_)
		if (at.type == static_cast<std::uint16_t>(type))
			return at;
	throw CorruptError("a section is missing", name(), file_size_ - sizeof(Footer));
}

Buffer Layer::read_section(Section type, std::size_t limit) const
{
	const SectionRecord at = section(type);
	if (at.size > limit)
		throw CorruptError("a section is too large", name(), at.offset);
	Buffer content(at.size);
	file_.read_exactly_at(content, at.offset);
	if (crc32_of(content) != at.checksum)
		throw CorruptError("a section's checksum is wrong", name(), at.offset);
	return content;
}

static std::string take_text(Cursor &cursor)
{
	const std::uint32_t size = cursor.u32();
	return std::string(text_of(cursor.take(size)));
}

void Layer::read_small_sections()
{
	if (is_merged_)
		read_states();
	else if (!is_pack_)
		read_header();
	read_tables();
}

void Layer::read_header()
{
	const Buffer header = read_section(Section::header, max_small_section);
	header_ = LayerHeader::decode(header, name(), section(Section::header).offset);
	id_ = header_.id();
	const Buffer texts = read_section(Section::texts, max_small_section);
	Cursor cursor(texts, name(), section(Section::texts).offset);
	author_ = take_text(cursor);
	message_ = take_text(cursor);
	cursor.expect_end();
	if (texts_digest(author_, message_) != header_.texts)
		throw CorruptError("author and message are not those of the header", name(),
			section(Section::texts).offset);
	const Buffer peaks = read_section(Section::peaks, 64 * 32 + 1);
	Cursor peak(peaks, name(), section(Section::peaks).offset);
	const std::size_t count = peak.u8();
	if (count != static_cast<std::size_t>(__builtin_popcountll(header_.generation - 1)))
		peak.fail("the number of peaks is not that of the generation");
	std::vector<Digest> list;
	for (std::size_t i = 0; i < count; i++)
		list.push_back(peak.digest());
	peak.expect_end();
	peaks_ = MerklePeaks(header_.generation - 1, std::move(list));
	generations_ = {header_.generation, header_.generation};
}

constexpr std::size_t states_head_size = 24;

// The places of the states follow the head; they are read one by one.
void Layer::read_states()
{
	const SectionRecord at = section(Section::states);
	Buffer head(states_head_size);
	if (at.size < head.size())
		throw CorruptError("the section of states is too short", name(), at.offset);
	file_.read_exactly_at(head, at.offset);
	Cursor cursor(head, name(), at.offset);
	const std::uint64_t first = cursor.u64(), count = cursor.u64();
	epoch_ = cursor.u64();
	if (first == 0 || count == 0 || count > (at.size - states_head_size) / 8 || first + count < first)
		throw CorruptError("the numbers of the states are out of bounds", name(), at.offset);
	generations_ = {first, first + count - 1};
}

LayerState Layer::state(std::uint64_t generation) const
{
	if (generation < generations_.first || generation > generations_.last)
		throw CorruptError("it does not have generation " + std::to_string(generation), name(), 0);
	if (!is_merged_)
		return {header_, author_, message_};
	const SectionRecord at = section(Section::states);
	const std::uint64_t count = generations_.last - generations_.first + 1;
	const std::uint64_t number = generation - generations_.first, place = states_head_size + 8 * number;
	Buffer ends(16);
	file_.read_exactly_at(MutableBytes(ends).first(number + 1 < count ? 16 : 8), at.offset + place);
	const std::uint64_t begin = load<std::uint64_t>(ends.data());
	const std::uint64_t end = number + 1 < count ? load<std::uint64_t>(ends.data() + 8) : std::uint64_t(at.size);
	if (begin < states_head_size + 8 * count || end < begin || end > at.size || end - begin > max_small_section)
		throw CorruptError("the place of a state is out of bounds", name(), at.offset + place);
	Buffer body(end - begin);
	file_.read_exactly_at(body, at.offset + begin);
	LayerState state = LayerState::decode(body, name(), at.offset + begin);
	if (state.header.generation != generation)
		throw CorruptError("a state has another generation than its place", name(), at.offset + begin);
	return state;
}

bool Layer::has_section(Section type) const
{
	return std::any_of(sections_.begin(), sections_.end(),
		[&](const SectionRecord &at) { return at.type == static_cast<std::uint16_t>(type); });
}

std::optional<ChunkingParameters> Layer::chunking() const
{
	if (!has_section(Section::chunking))
		return {};
	const Buffer section = read_section(Section::chunking, encoded_parameters_size);
	return ChunkingParameters::decode(section, name());
}

Packing Layer::packing() const
{
	if (!has_section(Section::packing))
		return {};
	try {
		const Buffer section = read_section(Section::packing, 9);
		Cursor cursor(section, name());
		Packing packing;
		packing.level = cursor.u8();
		packing.pending = cursor.u64();
		cursor.expect_end();
		return packing;
	} catch (const CorruptError &) {
		// Nobody needs it; check_structure() tells of it.
		return {};
	}
}

std::vector<GenerationRange> Layer::dropped() const
{
	const Buffer section = read_section(Section::dropped, max_layer_table_size);
	Cursor cursor(section, name());
	std::vector<GenerationRange> ranges = take_ranges(cursor);
	cursor.expect_end();
	return ranges;
}

std::vector<PackElsewhere> Layer::packs_elsewhere() const
{
	return decode_packs(read_section(Section::elsewhere, max_pack_list), name());
}

void Layer::read_tables()
{
	const SectionRecord blocks = section(Section::block_table);
	blocks_end_ = blocks.offset;
	if (is_elsewhere()) {
		blocks_begin_ = blocks_end_ = elsewhere_begin;
		for (const PackElsewhere &pack : packs_elsewhere())
			blocks_end_ += pack.size;
	}
	if (blocks.size % sizeof(BlockRecord))
		throw CorruptError("the block table's size is no number of records", name(), blocks.offset);
	block_count_ = blocks.size / sizeof(BlockRecord);
	const SectionRecord index = section(Section::chunk_index);
	if (!read_hints()) {
		Buffer head(index_head_size);
		if (index.size < head.size())
			throw CorruptError("the chunk index is too short", name(), index.offset);
		file_.read_exactly_at(head, index.offset);
		item_count_ = load<std::uint64_t>(head.data());
		bits_ = head[8];
	}
	const std::uint64_t fanout = bits_ <= 16 ? std::uint64_t(8) << bits_ : 0;
	if (bits_ > 16 || item_count_ > index.size / sizeof(ChunkRecord) ||
		index.size != index_head_size + fanout + item_count_ * sizeof(ChunkRecord))
		throw CorruptError("the chunk index's numbers are out of bounds", name(), index.offset);
	records_offset_ = index.offset + index_head_size + fanout;
}

Digest Layer::root() const
{
	MerklePeaks all = peaks_;
	all.append(leaf_hash(id_));
	return root_of(all);
}

// at is where the record stands.
void Layer::require_in_blocks(const BlockRecord &record, std::uint64_t at) const
{
	if (record.offset < blocks_begin_ || record.offset > blocks_end_ ||
		record.length > blocks_end_ - record.offset)
		throw CorruptError("a block's record is out of bounds", name(), at);
}

BlockRecord Layer::block(std::uint32_t number) const
{
	if (const std::optional<BlockRecord> hinted = hinted_block(number))
		return *hinted;
	const SectionRecord table = section(Section::block_table);
	if (number >= block_count_)
		throw CorruptError("the chunk index names a block that is not there", name(), table.offset);
	BlockRecord record;
	file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(&record), sizeof record),
		table.offset + number * sizeof record);
	require_in_blocks(record, table.offset + number * sizeof record);
	return record;
}

// The block's header and sizes, which must be what its record says.
BlockShape Layer::block_shape(const BlockRecord &record) const
{
	const std::size_t size = sizeof(BlockHeader) + (record.items > 1 ? 4 * std::size_t(record.items) : 0);
	if (record.length < size)
		throw CorruptError("a block is shorter than its header", name(), record.offset);
	Buffer prefix(size);
	file_.read_exactly_at(prefix, record.offset);
	BlockShape shape = parse_block_prefix(prefix, name(), record.offset);
	if (shape.length() != record.length || shape.sizes.size() != record.items ||
		shape.raw_size != record.raw_size || static_cast<std::uint8_t>(shape.codec) != record.codec)
		throw CorruptError("a block is not as its record says", name(), record.offset);
	return shape;
}

bool Layer::is_raw_item(std::uint64_t offset, Bytes content) const
{
	thread_local Buffer window(64_KiB);
	for (std::size_t done = 0; done < content.size();) {
		const MutableBytes there = MutableBytes(window).first(std::min(window.size(), content.size() - done));
		file_.read_exactly_at(there, offset + done);
		if (std::memcmp(there.data(), content.data() + done, there.size()) != 0)
			return false;
		done += there.size();
	}
	return true;
}

Digest Layer::raw_digest(std::uint64_t offset, std::uint64_t size) const
{
	thread_local Buffer window(64_KiB);
	Hasher hasher;
	for (std::uint64_t done = 0; done < size;) {
		const MutableBytes there = MutableBytes(window).first(std::min<std::uint64_t>(window.size(), size - done));
		file_.read_exactly_at(there, offset + done);
		hasher.update(there);
		done += there.size();
	}
	return hasher.finish();
}

Layer::Intact Layer::look_at_block(const Place &place, const Digest &digest, Bytes content) const
{
	const BlockRecord record = block(place.block);
	const BlockShape shape = block_shape(record);
	if (place.item >= shape.sizes.size())
		return Intact::no;
	std::uint64_t at = record.offset + shape.prefix_size();
	if (shape.codec == Codec::none) {
		for (std::size_t i = 0; i < place.item; i++)
			at += shape.sizes[i];
		const std::uint64_t size = shape.sizes[place.item];
		const bool is_same = !content.empty() ? size == content.size() && is_raw_item(at, content)
			: shape.kind == ItemKind::chunk ? raw_digest(at, size) == digest
							: true; // whoever asks for a node reads it
		return is_same ? Intact::item : Intact::no;
	}
	thread_local Buffer window(64_KiB);
	std::uint32_t checksum = 0;
	for (std::uint64_t left = shape.stored_size; left > 0;) {
		const MutableBytes there = MutableBytes(window).first(std::min<std::uint64_t>(window.size(), left));
		file_.read_exactly_at(there, at);
		checksum = crc32_of(there, checksum);
		at += there.size();
		left -= there.size();
	}
	return checksum == shape.payload_checksum ? Intact::block : Intact::no;
}

StoredBlock Layer::read_block(std::uint32_t number) const
{
	const BlockRecord record = block(number);
	return read_stored_block(file_, record.offset, record.length);
}

ChunkRecord Layer::chunk_record(std::uint64_t number) const
{
	ChunkRecord record;
	if (!index_.empty()) {
		std::memcpy(&record, index_.data() + number * sizeof record, sizeof record);
		return record;
	}
	file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(&record), sizeof record),
		records_offset_ + number * sizeof record);
	return record;
}

// How many records have first bits up to those of the slot.
std::uint64_t Layer::fanout_at(std::uint32_t slot) const
{
	if (!fanout_.empty())
		return fanout_[slot];
	le64 count;
	file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(&count), sizeof count),
		records_offset_ - (std::size_t(8) << bits_) + 8 * std::uint64_t(slot));
	return count;
}

void Layer::keep_index() const
{
	const std::size_t slots = std::size_t(1) << bits_;
	const std::uint64_t size = item_count_ * sizeof(ChunkRecord);
	if (room_->take(slots * 8)) {
		taken_room_ += slots * 8;
		std::vector<std::uint64_t> fanout(slots);
		file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(fanout.data()), slots * 8),
			records_offset_ - slots * 8);
		if (!std::is_sorted(fanout.begin(), fanout.end()) || fanout.back() != item_count_)
			throw CorruptError("the chunk index's fanout is wrong", name(), records_offset_);
		fanout_ = std::move(fanout);
	}
	if (size <= kept_index_size && room_->take(size)) {
		taken_room_ += size;
		Buffer all(size);
		file_.read_exactly_at(all, records_offset_);
		index_ = std::move(all);
	}
}

std::optional<Layer::Place> Layer::find(ItemKind kind, const Digest &digest) const
{
	std::lock_guard guard(mutex_);
	const std::optional<Place> hinted = follow_hint(kind, digest);
	return hinted ? hinted : look_up(kind, digest);
}

std::optional<Layer::Place> Layer::look_up(ItemKind kind, const Digest &digest) const
{
	if (++lookups_ == lookups_before_keeping)
		keep_index();
	const std::uint32_t slot = first_bits(digest, bits_);
	std::uint64_t low = slot ? fanout_at(slot - 1) : 0, high = fanout_at(slot);
	if (low > high || high > item_count_)
		throw CorruptError("the chunk index's fanout is wrong", name(), records_offset_);
	ChunkRecord wanted{};
	wanted.digest = digest;
	wanted.kind = static_cast<std::uint8_t>(kind);
	Buffer bucket;
	if (index_.empty() && high > low && high - low <= 4096) {
		bucket.resize((high - low) * sizeof(ChunkRecord));
		file_.read_exactly_at(bucket, records_offset_ + low * sizeof(ChunkRecord));
	}
	const std::uint64_t first = low;
	while (low < high) {
		const std::uint64_t middle = (low + high) / 2;
		ChunkRecord record;
		if (bucket.empty())
			record = chunk_record(middle);
		else
			std::memcpy(&record, bucket.data() + (middle - first) * sizeof record, sizeof record);
		if (record.digest == digest && record.kind == wanted.kind)
			return Place{record.block, record.item};
		if (record < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return {};
}

RunRecords Layer::records(std::uint64_t generation) const
{
	struct State {
		std::uint64_t next = 0, window_start = 0;
		std::vector<ChunkRecord> window;
	};
	return [this, generation, state = std::make_shared<State>()]() -> std::optional<RunRecord> {
		if (state->next == item_count_)
			return {};
		if (state->next == state->window_start + state->window.size()) {
			state->window_start = state->next;
			state->window.resize(std::min<std::uint64_t>(4096, item_count_ - state->next));
			file_.read_exactly_at(
				MutableBytes(reinterpret_cast<std::uint8_t *>(state->window.data()),
					state->window.size() * sizeof(ChunkRecord)),
				records_offset_ + state->next * sizeof(ChunkRecord));
		}
		const ChunkRecord &from = state->window[state->next++ - state->window_start];
		RunRecord record{};
		record.digest = from.digest;
		record.generation = static_cast<std::uint32_t>(generation);
		record.block = from.block;
		record.item = from.item;
		record.kind = from.kind;
		return record;
	};
}

std::uint64_t Layer::index_size() const
{
	return section(Section::chunk_index).size + section(Section::block_table).size;
}

std::uint64_t Layer::item_size(const Place &place) const
{
	const BlockRecord record = block(place.block);
	if (place.item >= record.items)
		throw CorruptError("the chunk index names an item that is not there", name(), record.offset);
	if (record.items == 1)
		return record.raw_size;
	le32 size;
	file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(&size), sizeof size),
		record.offset + sizeof(BlockHeader) + 4 * std::uint64_t(place.item));
	return size;
}

} // namespace dig
