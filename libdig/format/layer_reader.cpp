#include "libdig/format/layer_reader.h"

#include <algorithm>

#include "libdig/chunking/sha256_lanes.h"
#include "libdig/format/search_tree.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::size_t max_sections = 64;
constexpr std::size_t max_small_section = 16_MiB; // header, peaks, texts
constexpr std::size_t index_head_size = 16;
// A chunk index up to this size is kept after many look-ups, and the fanout of any.
constexpr std::size_t kept_index_size = 4_MiB;
constexpr int lookups_before_keeping = 64;

StoredBlock read_stored_block(const File &file, std::uint64_t offset, std::uint32_t length)
{
	if (length < sizeof(BlockHeader) || length > max_chunk_size + 1_MiB)
		throw CorruptError("a block's length is out of bounds", file.name(), offset);
	StoredBlock block;
	block.bytes.resize(length);
	file.read_exactly_at(block.bytes, offset);
	block.shape = parse_block_prefix(block.bytes, file.name(), offset);
	if (block.shape.length() != length)
		throw CorruptError("a block is not as long as its record says", file.name(), offset);
	return block;
}

void decode_block(const StoredBlock &block, Decompressor &decompressor, MutableBytes out,
	std::string_view name, std::uint64_t offset)
{
	if (block.shape.codec != Codec::none && crc32_of(block.payload()) != block.shape.payload_checksum)
		throw CorruptError("a block's checksum is wrong", name, offset);
	if (!decompressor.decompress(block.shape.codec, block.payload(), out))
		throw CorruptError("a block does not decompress", name, offset);
}

std::optional<Digest> item_digest(ItemKind kind, Bytes bytes)
{
	if (kind == ItemKind::chunk)
		return digest_of(bytes);
	if (bytes.empty() || (bytes[0] != 1 && bytes[0] != 2) || bytes.size() > max_stored_node_size)
		return {};
	try {
		return Node::parse(Buffer(bytes.begin(), bytes.end()), static_cast<TreeKind>(bytes[0]), nullptr, "node")
			.compute_id();
	} catch (const CorruptError &) {
		return {};
	}
}

Layer::~Layer() { room_->give_back(taken_room_); }

Layer::Layer(const std::string &path, std::shared_ptr<IndexRoom> room)
	: file_(File::open(path)), room_(room ? std::move(room) : std::make_shared<IndexRoom>(2 * kept_index_size))
{
	file_size_ = file_.size();
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
		if (at.type > static_cast<std::uint16_t>(Section::texts) && at.flags & section_needed)
			throw Error(quote(name()) + " has a section that this dig does not know; use a newer dig");
	}
	if (next != footer.section_table_offset)
		fail("the sections do not reach to their table", footer.section_table_offset);
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

	const SectionRecord blocks = section(Section::block_table);
	if (blocks.size % sizeof(BlockRecord))
		throw CorruptError("the block table's size is no number of records", name(), blocks.offset);
	block_count_ = blocks.size / sizeof(BlockRecord);
	const SectionRecord index = section(Section::chunk_index);
	Buffer head(index_head_size);
	if (index.size < head.size())
		throw CorruptError("the chunk index is too short", name(), index.offset);
	file_.read_exactly_at(head, index.offset);
	item_count_ = load<std::uint64_t>(head.data());
	bits_ = head[8];
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
	const std::uint64_t end = section(Section::block_table).offset;
	if (record.offset < sizeof(Preamble) || record.offset > end || record.length > end - record.offset)
		throw CorruptError("a block's record is out of bounds", name(), at);
}

BlockRecord Layer::block(std::uint32_t number) const
{
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

static void require_zeros(const File &file, std::uint64_t from, std::uint64_t to)
{
	Buffer window;
	for (std::uint64_t at = from; at < to;) {
		window.resize(std::min<std::uint64_t>(256_KiB, to - at));
		file.read_exactly_at(window, at);
		for (std::size_t i = 0; i < window.size(); i++)
			if (window[i])
				throw CorruptError("bytes between blocks are not zero", file.name(), at + i);
		at += window.size();
	}
}

// By windows: the sections of a large layer do not fit into memory.
void Layer::check_section(const SectionRecord &at) const
{
	Buffer window;
	std::uint32_t checksum = 0;
	for (std::uint64_t done = 0; done < at.size; done += window.size()) {
		window.resize(std::min<std::uint64_t>(256_KiB, at.size - done));
		file_.read_exactly_at(window, at.offset + done);
		checksum = crc32_of(window, checksum);
	}
	if (checksum != at.checksum)
		throw CorruptError("a section's checksum is wrong", name(), at.offset);
}

std::uint64_t Layer::index_size() const
{
	return section(Section::chunk_index).size + section(Section::block_table).size;
}

void Layer::check_index() const
{
	check_section(section(Section::chunk_index));
	const SectionRecord table = section(Section::block_table);
	check_section(table);
	constexpr std::size_t records_per_window = 4096;
	std::vector<BlockRecord> window;
	for (std::uint64_t done = 0; done < block_count_; done += window.size()) {
		window.resize(std::min<std::uint64_t>(records_per_window, block_count_ - done));
		file_.read_exactly_at(MutableBytes(reinterpret_cast<std::uint8_t *>(window.data()),
					      window.size() * sizeof(BlockRecord)),
			table.offset + done * sizeof(BlockRecord));
		for (const BlockRecord &record : window)
			require_in_blocks(record, table.offset + done * sizeof(BlockRecord));
	}
}

void Layer::check_structure() const
{
	const auto fail = [&](std::string_view what, std::uint64_t at) { throw CorruptError(what, name(), at); };
	Hasher pack;
	for (const SectionRecord &at : sections_)
		check_section(at);
	// The chunk index: order, fanout, pack id.
	const SectionRecord index = section(Section::chunk_index);
	if (bits_ != fanout_bits(item_count_))
		fail("the chunk index has another fanout than its size asks for", index.offset);
	Buffer head(index_head_size + (std::size_t(8) << bits_));
	file_.read_exactly_at(head, index.offset);
	for (std::size_t i = 9; i < index_head_size; i++)
		if (head[i])
			fail("reserved bytes are not zero", index.offset + i);
	std::vector<std::uint64_t> counts(std::size_t(1) << bits_);
	RunRecords all = records(0);
	std::optional<RunRecord> before;
	Buffer message;
	while (std::optional<RunRecord> record = all()) {
		if (before && !(*before < *record))
			fail("the chunk index is not in order", index.offset);
		if (record->block >= block_count_ || (record->kind != 1 && record->kind != 2))
			fail("a record of the chunk index is out of bounds", index.offset);
		counts[first_bits(record->digest, bits_)]++;
		message.push_back(record->kind);
		append(message, record->digest);
		if (message.size() > 256_KiB) {
			pack.update(message);
			message.clear();
		}
		before = record;
	}
	pack.update(message);
	std::uint64_t sum = 0;
	for (std::size_t i = 0; i < counts.size(); i++) {
		sum += counts[i];
		if (load<std::uint64_t>(head.data() + index_head_size + 8 * i) != sum)
			fail("the chunk index's fanout is wrong", index.offset);
	}
	for (const SectionRecord &at : sections_)
		pack.update(raw_bytes(at));
	if (pack.finish() != pack_id_)
		fail("the pack id is not that of its content", file_size_ - sizeof(Footer));
	// The block table, and what lies between blocks.
	std::uint64_t next = sizeof(Preamble);
	for (std::uint32_t i = 0; i < block_count_; i++) {
		const BlockRecord record = block(i);
		if (record.offset < next || record.zero != 0)
			fail("the block table is not in order", section(Section::block_table).offset);
		require_zeros(file_, next, record.offset);
		next = record.offset + record.length;
	}
	const std::uint64_t end = section(Section::block_table).offset;
	if (next > end)
		fail("a block runs into the sections", end);
	require_zeros(file_, next, end);
}

void Layer::check_block(std::uint32_t number, std::span<const ChunkRecord> records,
	Decompressor &decompressor, Buffer &scratch, StepClock &clock) const
{
	const BlockRecord record = block(number);
	const StoredBlock stored = read_stored_block(file_, record.offset, record.length);
	clock.lap(Step::read);
	const BlockShape &shape = stored.shape;
	const std::uint64_t offset = record.offset;
	if (shape.raw_size != record.raw_size || shape.sizes.size() != record.items ||
		static_cast<std::uint8_t>(shape.codec) != record.codec ||
		static_cast<std::uint8_t>(shape.kind) != record.kind)
		throw CorruptError("a block is not as its record says", name(), offset);
	if (scratch.size() < shape.raw_size)
		scratch.resize(shape.raw_size);
	const MutableBytes raw = MutableBytes(scratch).first(shape.raw_size);
	decode_block(stored, decompressor, raw, name(), offset);
	clock.lap(Step::compress);
	std::vector<HashJob> jobs;
	std::vector<Digest> digests(shape.sizes.size());
	std::size_t at = 0;
	for (std::size_t i = 0; i < shape.sizes.size(); at += shape.sizes[i++]) {
		const Bytes item = Bytes(raw).subspan(at, shape.sizes[i]);
		if (shape.kind == ItemKind::chunk) {
			jobs.push_back({item, &digests[i]});
			continue;
		}
		const std::optional<Digest> digest = item_digest(shape.kind, item);
		if (!digest)
			throw CorruptError("a block holds what is no node", name(), offset);
		digests[i] = *digest;
	}
	sha256_many(jobs);
	clock.lap(Step::hash);
	auto of_item = records.begin();
	for (std::size_t i = 0; i < digests.size(); i++) {
		if (of_item != records.end() && of_item->item == i) {
			if (of_item->kind != static_cast<std::uint8_t>(shape.kind) ||
				of_item->digest != digests[i])
				throw CorruptError(std::string(name_of(shape.kind)) + " " +
					to_hex(of_item->digest) + " has other content", name(), offset);
			++of_item;
		} else if (!find(shape.kind, digests[i])) {
			// Of items that two adds stored at the same time, one has a record.
			throw CorruptError("the chunk index does not have all items of a block", name(), offset);
		}
	}
	if (of_item != records.end())
		throw CorruptError("the chunk index has items that a block does not have", name(), offset);
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

// The items of blocks first to last, sorted by block and number.
std::vector<ChunkRecord> Layer::items_of_blocks(std::uint32_t first, std::uint32_t last) const
{
	std::vector<ChunkRecord> items;
	RunRecords all = records(0);
	while (std::optional<RunRecord> record = all())
		if (record->block >= first && record->block < last) {
			ChunkRecord item{};
			item.digest = record->digest;
			item.block = record->block;
			item.item = record->item;
			item.kind = record->kind;
			items.push_back(item);
		}
	std::sort(items.begin(), items.end(), [](const ChunkRecord &a, const ChunkRecord &b) {
		return a.block != b.block ? a.block < b.block : a.item < b.item;
	});
	return items;
}

void Layer::check_blocks(unsigned threads, const std::function<void(const std::string &)> &problem,
	const std::function<void(std::uint64_t)> &progress, Work &counts) const
{
	// Items by block, for as many blocks at a time as a bounded list of records holds.
	constexpr std::size_t window = 400000;
	for (std::uint32_t first = 0; first < block_count_;) {
		std::uint32_t last = first;
		for (std::size_t count = 0; last < block_count_ && count < window; last++)
			count += block(last).items;
		const std::vector<ChunkRecord> items = items_of_blocks(first, last);
		std::mutex mutex;
		std::uint32_t next = first;
		Workers workers;
		const auto work = [&] {
			Decompressor decompressor;
			Buffer scratch;
			StepClock clock(counts);
			for (;;) {
				std::uint32_t number;
				{
					std::lock_guard guard(mutex);
					if (next == last || workers.is_stopped())
						return;
					number = next++;
				}
				const auto begin = std::lower_bound(items.begin(), items.end(), number,
					[](const ChunkRecord &item, std::uint32_t at) { return item.block < at; });
				const auto end = std::upper_bound(begin, items.end(), number,
					[](std::uint32_t at, const ChunkRecord &item) { return at < item.block; });
				std::string found;
				std::uint64_t size = 0;
				try {
					const BlockRecord record = block(number);
					size = record.length;
					if (record.kind == static_cast<std::uint8_t>(ItemKind::chunk))
						counts.chunks.add(record.items);
					clock.restart();
					check_block(number, {begin, end}, decompressor, scratch, clock);
				} catch (const Error &error) {
					found = error.what();
				}
				std::lock_guard guard(mutex);
				if (!found.empty())
					problem(found);
				progress(size);
			}
		};
		workers.start(threads - 1, work);
		workers.run(work);
		workers.join();
		first = last;
	}
}

} // namespace dig
