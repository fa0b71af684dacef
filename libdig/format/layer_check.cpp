// What is checked of a layer beyond what a look-up reads.  Three depths, each with its own cost:
//
// * check_index() reads the chunk index and the block table once.  It is enough for the chunk index
//   of a store to be made from the layer.
//
// * check_structure() reads all but the payloads of blocks: every section against its checksum, the
//   order of both tables, the pack id, and the bytes between blocks, which are zero.  With it every
//   byte of the file is covered by some checksum or rule.
//
// * check_blocks() decodes every block and hashes every item.  The tables are sorted by digest and not
//   by block, so the items of a block are found by a pass over the whole chunk index.  A pass a block
//   would be quadratic, and an inverted table of all items does not fit into memory; so one pass
//   collects the items of as many blocks as 400,000 records hold, and threads share these blocks.
#include <algorithm>

#include "libdig/chunking/sha256_lanes.h"
#include "libdig/format/layer_reader.h"
#include "libdig/os/read_memory.h"
#include "libdig/os/workers.h"

namespace dig {

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

// Order, bounds and fanout of the chunk index.  Its items go into pack, as the pack id wants them.
void Layer::check_records(Hasher &pack) const
{
	const std::uint64_t offset = section(Section::chunk_index).offset;
	const auto fail = [&](std::string_view what) { throw CorruptError(what, name(), offset); };
	if (bits_ != fanout_bits(item_count_))
		fail("the chunk index has another fanout than its size asks for");
	Buffer head(index_head_size + (std::size_t(8) << bits_));
	file_.read_exactly_at(head, offset);
	for (std::size_t i = 9; i < index_head_size; i++)
		if (head[i])
			throw CorruptError("reserved bytes are not zero", name(), offset + i);
	std::vector<std::uint64_t> counts(std::size_t(1) << bits_);
	RunRecords all = records(0);
	std::optional<RunRecord> before;
	Buffer message;
	while (std::optional<RunRecord> record = all()) {
		if (before && !(*before < *record))
			fail("the chunk index is not in order");
		if (record->block >= block_count_ || (record->kind != 1 && record->kind != 2))
			fail("a record of the chunk index is out of bounds");
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
			fail("the chunk index's fanout is wrong");
	}
}

// The order of the block table, and the bytes between blocks.
void Layer::check_block_table() const
{
	const std::uint64_t table = section(Section::block_table).offset;
	std::uint64_t next = blocks_begin_;
	const auto require_gap = [&](std::uint64_t end) {
		if (!is_elsewhere())
			require_zeros(file_, next, end);
	};
	for (std::uint32_t i = 0; i < block_count_; i++) {
		const BlockRecord record = block(i);
		if (record.offset < next || record.zero != 0)
			throw CorruptError("the block table is not in order", name(), table);
		require_gap(record.offset);
		next = record.offset + record.length;
	}
	if (next > blocks_end_)
		throw CorruptError("a block runs into the sections", name(), table);
	require_gap(blocks_end_);
}

void Layer::check_structure() const
{
	for (const SectionRecord &at : sections_)
		check_section(at);
	Hasher pack;
	check_records(pack);
	for (const SectionRecord &at : sections_)
		pack.update(raw_bytes(at));
	if (pack.finish() != pack_id_)
		throw CorruptError("the pack id is not that of its content", name(), file_size_ - sizeof(Footer));
	check_block_table();
}

void Layer::check_block(std::uint32_t number, std::span<const ChunkRecord> records,
	Decompressor &decompressor, MutableBytes memory, StepClock &clock) const
{
	const BlockRecord record = block(number);
	const std::uint64_t offset = record.offset;
	check_block_length(record.length, file_, offset);
	if (record.raw_size > max_chunk_size)
		throw CorruptError("a block is not as its record says", name(), offset);
	const MutableBytes stored = memory.first(record.length);
	const BlockShape shape = read_block_into(stored, file_, offset);
	clock.lap(Step::read);
	if (shape.raw_size != record.raw_size || shape.sizes.size() != record.items ||
		static_cast<std::uint8_t>(shape.codec) != record.codec ||
		static_cast<std::uint8_t>(shape.kind) != record.kind)
		throw CorruptError("a block is not as its record says", name(), offset);
	Bytes raw = Bytes(stored).subspan(shape.prefix_size());
	if (shape.codec != Codec::none) {
		const MutableBytes decoded = memory.subspan(record.length, shape.raw_size);
		decode_block(shape, raw, decompressor, decoded, name(), offset);
		raw = decoded;
	} else if (raw.size() != shape.raw_size) {
		throw CorruptError("a block is not as its record says", name(), offset);
	}
	clock.lap(Step::compress);
	std::vector<HashJob> jobs;
	std::vector<Digest> digests(shape.sizes.size());
	std::size_t at = 0;
	for (std::size_t i = 0; i < shape.sizes.size(); at += shape.sizes[i++]) {
		const Bytes item = raw.subspan(at, shape.sizes[i]);
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

// The items of blocks first to last, sorted by block and number.
std::vector<ChunkRecord> Layer::items_of_blocks(std::uint32_t first, std::uint32_t last,
	std::size_t count) const
{
	std::vector<ChunkRecord> items;
	items.reserve(std::min<std::uint64_t>(count, item_count_));
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

// The blocks first to last of a layer, for threads that share their memory.
class BlockChecks {
public:
	BlockChecks(const Layer &layer, const Layer::BlockRange &range, ReadMemory &memory)
		: layer_(layer), range_(range), next_(range.first), memory_(memory)
	{
	}

	struct Taken {
		std::uint32_t number = 0;
		ReadMemory::Lease memory; // for the block as it is stored, and decoded
	};
	// The next block, once there is memory for it; nothing at the end, or when it is over.
	std::optional<Taken> take()
	{
		// Memory is taken in the order of the blocks.
		std::lock_guard guard(taking_);
		if (next_ == range_.end || workers.is_stopped() || (range_.is_over && range_.is_over()))
			return {};
		const std::uint32_t number = next_++;
		return Taken{number, memory_.take(memory_for(layer_.block(number)))};
	}

	std::uint32_t next() const { return next_; }

	// tell is called by one thread at a time.
	void finish(const std::function<void()> &tell)
	{
		std::lock_guard guard(telling_);
		tell();
	}

	// Bytes.  A record that claims more than a block may have is not believed.
	static std::size_t memory_for(const BlockRecord &record)
	{
		const bool is_raw = record.codec == static_cast<std::uint8_t>(Codec::none);
		const std::uint64_t size = record.length + (is_raw ? 0 : std::uint64_t(record.raw_size));
		return size <= ReadMemory::largest_piece ? size : 0;
	}

private:
	const Layer &layer_;
	std::mutex taking_, telling_;
	const Layer::BlockRange &range_;
	std::uint32_t next_;
	ReadMemory &memory_;

public:
	Workers workers{[this] { memory_.stop(); }}; // the last member, since the others are what they use
};

std::uint32_t Layer::check_blocks(std::size_t threads, std::size_t memory, const BlockProblem &problem,
	const std::function<void(std::uint64_t)> &progress, Work &counts, const BlockRange &range) const
{
	// Items by block, for as many blocks at a time as a bounded list of records holds.
	constexpr std::size_t window = 400000;
	ReadMemory room(memory);
	const std::uint32_t end_of_all = static_cast<std::uint32_t>(std::min<std::uint64_t>(range.end, block_count_));
	std::uint32_t first = range.first;
	while (first < end_of_all) {
		std::uint32_t last = first;
		std::size_t count = 0;
		for (; last < end_of_all && count < window; last++)
			count += block(last).items;
		const std::vector<ChunkRecord> items = items_of_blocks(first, last, count);
		const BlockRange part{first, last, range.is_over};
		BlockChecks checks(*this, part, room);
		const auto work = [&] {
			Decompressor decompressor;
			StepClock clock(counts);
			while (std::optional<BlockChecks::Taken> taken = checks.take()) {
				const std::uint32_t number = taken->number;
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
					check_block(number, {begin, end}, decompressor, taken->memory.bytes(), clock);
				} catch (const Error &error) {
					found = error.what();
				}
				taken.reset();
				checks.finish([&] {
					if (!found.empty())
						problem(number, {begin, end}, found);
					progress(size);
				});
			}
		};
		checks.workers.start(threads - 1, work);
		checks.workers.run(work);
		checks.workers.join();
		first = checks.next();
		if (first < last)
			break;
	}
	return first;
}

} // namespace dig
