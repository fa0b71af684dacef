#include "libdig/store/read_pipeline.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "libdig/base/trace.h"
#include "libdig/os/process.h"

namespace dig {

// Bytes a nanosecond.  What is in the page cache comes at 10, what has to be waited for at 4 or
// less; then asking for the next blocks at once pays, which else is only one more system call.
constexpr std::uint64_t slow_rate = 5;
// Content up to this size comes from the store directly: threads and large buffers would cost
// more than they gain.
constexpr std::uint64_t little_content = 512_KiB;
// A unit holds no more chunks than keep its bookkeeping small.
constexpr std::size_t max_unit_chunks = 1024;
// Chunks begin on cache lines.
constexpr std::size_t alignment = 64;
// What the process takes besides content and decoded blocks: itself, look-ups, nodes.
constexpr std::uint64_t fixed_memory = 24_MiB;
constexpr std::uint64_t least_memory = 8_MiB;
// What a block of several chunks takes at most: its chunks, its head and their sizes.
constexpr std::size_t max_stored_size = max_block_size + sizeof(BlockHeader) + 4 * max_block_items;
constexpr std::uint32_t no_chunk = ~std::uint32_t(0);
// Several of the largest chunks (2 MiB in the mean) side by side are hashed at almost twice the
// speed of one; larger units gain nothing more.
constexpr std::uint64_t least_unit = 1_MiB, largest_unit = 8_MiB;

static std::size_t aligned(std::size_t size) { return (size + alignment - 1) / alignment * alignment; }

// --- which chunks ---------------------------------------------------------------------------

ChunkSequence::ChunkSequence(Store &store, const Entry &entry, const ByteRange::Extent &extent)
	: end_(extent.offset + extent.size)
{
	if (extent.size == 0 || entry.form == ContentForm::none)
		return;
	if (entry.form == ContentForm::chunk) {
		only_ = ContentChunk{entry.content, entry.size, 0};
		return;
	}
	cursor_.emplace(TreeKind::chunk_list, content_root(entry), store.nodes());
	cursor_->seek_offset(extent.offset);
}

std::optional<ContentChunk> ChunkSequence::next()
{
	if (only_)
		return std::exchange(only_, std::nullopt);
	if (!cursor_)
		return {};
	cursor_->settle();
	if (cursor_->at_end() || cursor_->offset() >= end_)
		return {};
	const ContentChunk chunk{cursor_->chunk_id(), cursor_->chunk_size(), cursor_->offset()};
	cursor_->skip();
	return chunk;
}

std::uint64_t ChunkSequence::pass_repeats(const ContentChunk &last)
{
	if (!cursor_)
		return 0;
	cursor_->settle();
	return cursor_->at_end() || cursor_->chunk_id() != last.id
		? 0
		: cursor_->skip_run((end_ - cursor_->offset() - 1) / last.size + 1);
}

// --- memory ---------------------------------------------------------------------------------

ReadMemory::ReadMemory(std::size_t limit) : arena_(largest_piece), limit_(std::min(limit, largest_piece)) {}

ReadMemory::Lease &ReadMemory::Lease::operator=(Lease &&other) noexcept
{
	std::swap(memory_, other.memory_);
	std::swap(bytes_, other.bytes_);
	return *this;
}

void ReadMemory::Lease::give_back() noexcept
{
	if (!memory_)
		return;
	ReadMemory &memory = *std::exchange(memory_, nullptr);
	const std::size_t offset = static_cast<std::size_t>(bytes_.data() - memory.arena_.data());
	{
		std::lock_guard guard(memory.mutex_);
		for (Piece &piece : memory.pieces_)
			if (piece.offset == offset)
				piece.is_free = true;
		while (!memory.pieces_.empty() && memory.pieces_.front().is_free)
			memory.pieces_.pop_front();
	}
	memory.changed_.notify_all();
}

// Pieces lie one behind another, from the oldest to the newest, and once around the end.
std::optional<std::size_t> ReadMemory::find_room(std::size_t size) const
{
	if (pieces_.empty())
		return 0;
	const std::size_t oldest = pieces_.front().offset;
	const std::size_t end = pieces_.back().offset + pieces_.back().size;
	if (pieces_.back().offset < oldest)
		return size <= oldest - end ? std::optional(end) : std::nullopt;
	if (end < limit_ && size <= limit_ - end)
		return end;
	return size <= oldest ? std::optional<std::size_t>(0) : std::nullopt;
}

ReadMemory::Lease ReadMemory::take(std::size_t size)
{
	// No two pieces may begin at the same place.
	size = aligned(std::max<std::size_t>(size, 1));
	if (size > largest_piece)
		throw std::bad_alloc();
	std::unique_lock lock(mutex_);
	std::optional<std::size_t> offset;
	changed_.wait(lock, [&] { return is_stopped_ || (offset = find_room(size)); });
	if (is_stopped_)
		throw Stopped();
	pieces_.push_back({*offset, size});
	return Lease(*this, arena_.bytes().subspan(*offset, size));
}

void ReadMemory::stop()
{
	{
		std::lock_guard guard(mutex_);
		is_stopped_ = true;
	}
	changed_.notify_all();
}

// --- some chunks ----------------------------------------------------------------------------

void ChunkReader::find(const WantedChunk &wanted, Place &place)
{
	const std::optional<ItemPlace> found = store_.find_item(ItemKind::chunk, wanted.chunk.id);
	if (!found)
		return;
	place.item = found->place.item;
	place.block = {found->generation, found->place.block};
	place.layer = store_.layer(found->generation);
	// Chunks of one block often follow each other.
	const Place *before = places_.size() > 1 ? &places_[places_.size() - 2] : nullptr;
	if (before && before->way == Way::solid && before->block == place.block)
		place.record = before->record;
	else
		place.record = place.layer->block(found->place.block);
	const BlockRecord &record = place.record;
	if (record.kind != static_cast<std::uint8_t>(ItemKind::chunk))
		return;
	if (record.items > 1)
		place.way = Way::solid;
	else if (record.raw_size != wanted.chunk.size || record.length < sizeof(BlockHeader) ||
		record.length > max_chunk_size + sizeof(BlockHeader))
		return;
	else if (record.codec != static_cast<std::uint8_t>(Codec::none))
		place.way = Way::decoded;
	else if (record.length == sizeof(BlockHeader) + wanted.chunk.size)
		place.way = Way::raw;
}

void ChunkReader::empty_table(std::size_t chunks)
{
	table_.assign(std::bit_ceil(2 * chunks + 1), no_chunk);
}

// The number of the first chunk that equals this one, which may be itself.
std::uint32_t ChunkReader::first_of(std::span<const WantedChunk> chunks, std::uint32_t number)
{
	const ContentChunk &chunk = chunks[number].chunk;
	const std::size_t mask = table_.size() - 1;
	for (std::size_t at = DigestHash()(chunk.id) & mask;; at = (at + 1) & mask) {
		if (table_[at] == no_chunk)
			return table_[at] = number;
		const ContentChunk &other = chunks[table_[at]].chunk;
		if (other.id == chunk.id && other.size == chunk.size)
			return table_[at];
	}
}

std::size_t ChunkReader::locate(std::span<WantedChunk> chunks)
{
	places_.clear();
	repeats_.clear();
	empty_table(chunks.size());
	scratch_size_ = 0;
	std::size_t size = 0;
	for (std::uint32_t i = 0; i < chunks.size(); i++) {
		if (const std::uint32_t first = first_of(chunks, i); first != i) {
			repeats_.push_back({i, first});
			continue;
		}
		Place &place = places_.emplace_back();
		place.chunk = i;
		try {
			find(chunks[i], place);
		} catch (const Error &) {
			place.way = Way::asked;
		}
		size += aligned(chunks[i].chunk.size);
		if (is_slow_ && (place.way == Way::raw || place.way == Way::decoded))
			place.layer->file().advise_will_need(place.record.offset, place.record.length);
		if (place.way == Way::decoded)
			scratch_size_ = std::max<std::size_t>(scratch_size_, place.record.length);
	}
	clock_.lap(Step::lookup);
	return size + scratch_size_;
}

void ChunkReader::read_alone(Place &place, MutableBytes scratch)
{
	const File &file = place.layer->file();
	const std::uint64_t offset = place.record.offset;
	if (place.way == Way::raw) {
		file.read_exactly_at(place.to, offset + sizeof(BlockHeader));
		clock_.lap(Step::read);
		return;
	}
	const MutableBytes stored = scratch.first(place.record.length);
	file.read_exactly_at(stored, offset);
	clock_.lap(Step::read);
	if (!decompressor_.decompress(static_cast<Codec>(place.record.codec),
		    stored.subspan(sizeof(BlockHeader)), place.to))
		throw CorruptError("a block does not decompress", file.name(), offset);
	clock_.lap(Step::compress);
}

void ChunkReader::decode(const Place &place, DecodedBlock &block)
{
	const File &file = place.layer->file();
	const std::uint64_t offset = place.record.offset;
	if (place.record.length > max_stored_size)
		throw CorruptError("a block's length is out of bounds", file.name(), offset);
	// Buffers only grow, so that nothing is filled with zeros each time.
	if (stored_.size() < place.record.length)
		stored_.resize(place.record.length);
	const MutableBytes stored = MutableBytes(stored_).first(place.record.length);
	file.read_exactly_at(stored, offset);
	clock_.lap(Step::read);
	const BlockShape shape = parse_block_prefix(stored, file.name(), offset);
	if (shape.length() != stored.size() || shape.kind != ItemKind::chunk)
		throw CorruptError("a block is not as its record says", file.name(), offset);
	block.kind = shape.kind;
	if (block.raw.size() < shape.raw_size)
		block.raw.resize(shape.raw_size);
	block.ends.clear();
	std::uint32_t end = 0;
	for (std::uint32_t size : shape.sizes)
		block.ends.push_back(end += size);
	if (end != shape.raw_size ||
		!decompressor_.decompress(shape.codec, stored.subspan(shape.prefix_size()),
			MutableBytes(block.raw).first(shape.raw_size)))
		throw CorruptError("a block does not decompress", file.name(), offset);
}

std::shared_ptr<const DecodedBlock> ChunkReader::block_of(const Place &place, bool is_wanted_whole)
{
	// Nobody is likely to come back to what is taken out as a whole; its memory is used again.
	if (is_wanted_whole) {
		if (!scratch_block_)
			scratch_block_ = std::make_shared<DecodedBlock>();
		decode(place, *scratch_block_);
		return scratch_block_;
	}
	if (std::shared_ptr<const DecodedBlock> block = cache_.find(place.block))
		return block;
	auto block = std::make_shared<DecodedBlock>();
	decode(place, *block);
	cache_.insert(place.block, block);
	return block;
}

void ChunkReader::read_solid(std::span<WantedChunk> chunks)
{
	std::sort(solid_.begin(), solid_.end(), [](const Place *a, const Place *b) {
		return a->block != b->block ? a->block < b->block : a->item < b->item;
	});
	for (std::size_t first = 0, end; first < solid_.size(); first = end) {
		for (end = first; end < solid_.size() && solid_[end]->block == solid_[first]->block; end++)
			;
		try {
			const bool is_wanted_whole = end - first >= solid_[first]->record.items;
			const auto block = block_of(*solid_[first], is_wanted_whole);
			for (std::size_t i = first; i < end; i++) {
				Place &place = *solid_[i];
				if (place.item >= block->ends.size() || block->kind != ItemKind::chunk)
					continue;
				const Bytes bytes = block->item(place.item);
				if (bytes.size() != place.to.size())
					continue;
				std::copy(bytes.begin(), bytes.end(), place.to.begin());
				chunks[place.chunk].bytes = place.to;
			}
		} catch (const Error &) {
			// The store is asked for them.
		}
	}
}

void ChunkReader::verify(std::span<WantedChunk> chunks)
{
	jobs_.clear();
	digests_.resize(chunks.size());
	for (std::size_t i = 0; i < chunks.size(); i++)
		if (chunks[i].bytes.data())
			jobs_.push_back({chunks[i].bytes, &digests_[i]});
	clock_.lap(Step::compress);
	const Region region("verify");
	sha256_many(jobs_);
	clock_.lap(Step::hash);
	for (std::size_t i = 0; i < chunks.size(); i++)
		if (chunks[i].bytes.data() && digests_[i] != chunks[i].chunk.id)
			chunks[i].bytes = {};
}

static CorruptError wrong_size(const Digest &chunk)
{
	return CorruptError("chunk " + to_hex(chunk) + " has another size than the list that names it says");
}

void ChunkReader::ask(WantedChunk &wanted, MutableBytes to)
{
	try {
		const Buffer bytes = store_.read_item(ItemKind::chunk, wanted.chunk.id);
		if (bytes.size() != wanted.chunk.size)
			throw wrong_size(wanted.chunk.id);
		std::copy(bytes.begin(), bytes.end(), to.begin());
		wanted.bytes = to;
	} catch (const Error &error) {
		wanted.failure = error.what();
		wanted.status = error.status();
	}
}

void ChunkReader::read(std::span<WantedChunk> chunks, MutableBytes memory)
{
	using Clock = std::chrono::steady_clock;
	const MutableBytes scratch = memory.last(scratch_size_);
	solid_.clear();
	std::size_t at = 0;
	Clock::duration reading{};
	std::uint64_t raw_size = 0;
	for (Place &place : places_) {
		WantedChunk &wanted = chunks[place.chunk];
		place.to = memory.subspan(at, wanted.chunk.size);
		at += aligned(wanted.chunk.size);
		if (place.way == Way::solid)
			solid_.push_back(&place);
		if (place.way != Way::raw && place.way != Way::decoded)
			continue;
		try {
			const Clock::time_point start = Clock::now();
			read_alone(place, scratch);
			if (place.way == Way::raw) {
				reading += Clock::now() - start;
				raw_size += place.to.size();
			}
			wanted.bytes = place.to;
		} catch (const Error &) {
			// The store is asked for it.
		}
	}
	if (raw_size > 0)
		is_slow_ = static_cast<std::uint64_t>(std::chrono::nanoseconds(reading).count()) * slow_rate > raw_size;
	if (!solid_.empty())
		read_solid(chunks);
	verify(chunks);
	for (Place &place : places_)
		if (!chunks[place.chunk].bytes.data())
			ask(chunks[place.chunk], place.to);
	for (const Repeat &repeat : repeats_)
		chunks[repeat.chunk].take_result(chunks[repeat.first]);
}

// --- all chunks in order --------------------------------------------------------------------

ReadPlan::ReadPlan(const Settings &settings)
{
	const Settings::Performance &performance = settings.performance;
	threads = performance.max_worker_threads ? performance.max_worker_threads
						 : std::max(1u, std::thread::hardware_concurrency());
	const std::uint64_t taken = fixed_memory + performance.chunk_cache_size;
	const std::uint64_t most = performance.max_memory_usage;
	const std::uint64_t room = std::clamp<std::uint64_t>(
		most > taken ? most - taken : 0, least_memory, ReadMemory::largest_piece);
	// One for each thread, one being taken, one that waits to be.
	unit = std::clamp(room / (threads + 2), least_unit, largest_unit);
	memory = std::min<std::uint64_t>(room, (threads + 2) * unit);
}

// The part of a chunk that the extent covers.
static Bytes part_of(const ContentChunk &chunk, Bytes bytes, const ByteRange::Extent &extent)
{
	const std::uint64_t from = std::max(chunk.offset, extent.offset);
	const std::uint64_t to = std::min(chunk.offset + chunk.size, extent.offset + extent.size);
	return bytes.subspan(from - chunk.offset, to - from);
}

// One call of read().  Threads take turns by the number of their unit: for memory, so that the
// unit that is next to be taken never waits for one behind it, and for handing out.
struct ReadPipeline::Run {
	struct Unit {
		std::uint64_t number = 0;
		std::vector<WantedChunk> chunks;
		ReadMemory::Lease memory;
		std::exception_ptr failure;
	};

	Run(Store &from, Work &with, ReadMemory &through, std::uint64_t size, const Entry &entry,
		const ByteRange::Extent &what, const Take &to)
		: store(from), counts(with), memory(through), unit_size(size), sequence(from, entry, what), extent(what),
		  take(to)
	{
	}

	bool claim(Unit &unit)
	{
		std::lock_guard guard(mutex);
		if (is_claimed || workers.is_stopped())
			return false;
		unit.number = claimed++;
		unit.chunks.clear();
		unit.failure = nullptr;
		try {
			fill(unit);
		} catch (...) {
			// What lies before it is handed out first.
			unit.failure = std::current_exception();
			is_claimed = true;
		}
		return !unit.chunks.empty() || unit.failure;
	}

	void fill(Unit &unit)
	{
		check_interrupted();
		for (std::uint64_t size = 0; size < unit_size && unit.chunks.size() < max_unit_chunks;) {
			std::optional<ContentChunk> chunk = kept ? std::exchange(kept, std::nullopt) : sequence.next();
			if (!chunk) {
				is_claimed = true;
				break;
			}
			if (size > 0 && size + chunk->size > unit_size) {
				kept = chunk;
				break;
			}
			size += chunk->size;
			unit.chunks.emplace_back().chunk = *chunk;
		}
	}

	void work()
	{
		ChunkReader reader(store, store.cache(), counts);
		for (Unit unit; claim(unit);) {
			const std::size_t size = reader.locate(unit.chunks);
			await_memory_turn(unit.number);
			unit.memory = memory.take(size);
			pass_memory_turn();
			reader.clock().lap(Step::wait);
			reader.read(unit.chunks, unit.memory.bytes());
			hand_over(std::move(unit));
			reader.clock().lap(Step::write);
			unit = Unit();
		}
	}

	void await_memory_turn(std::uint64_t number)
	{
		std::unique_lock lock(mutex);
		changed.wait(lock, [&] { return workers.is_stopped() || memory_turn == number; });
		if (workers.is_stopped())
			throw ReadMemory::Stopped();
	}

	void pass_memory_turn()
	{
		{
			std::lock_guard guard(mutex);
			memory_turn++;
		}
		changed.notify_all();
	}

	// Whoever brings the unit that is next hands out all that are ready.
	void hand_over(Unit unit)
	{
		std::unique_lock lock(mutex);
		ready.push_back(std::move(unit));
		if (is_handing_out)
			return;
		is_handing_out = true;
		for (;;) {
			const auto next = std::find_if(ready.begin(), ready.end(),
				[&](const Unit &each) { return each.number == taken; });
			if (next == ready.end() || workers.is_stopped())
				break;
			Unit now = std::move(*next);
			ready.erase(next);
			lock.unlock();
			hand_out(now);
			now.memory.give_back();
			lock.lock();
			taken++;
		}
		is_handing_out = false;
	}

	void hand_out(const Unit &unit)
	{
		for (const WantedChunk &wanted : unit.chunks) {
			if (wanted.has_failed())
				throw Error(wanted.failure, wanted.status);
			check_interrupted();
			const Bytes part = part_of(wanted.chunk, wanted.bytes, extent);
			take(part);
			counts.chunks.add();
			counts.bytes.add(part.size());
		}
		if (unit.failure)
			std::rethrow_exception(unit.failure);
	}

	void wake_all()
	{
		{
			// Who is about to wait has seen the stop, or waits by now.
			std::lock_guard guard(mutex);
		}
		changed.notify_all();
		memory.stop();
	}

	Store &store;
	Work &counts;
	ReadMemory &memory;
	std::uint64_t unit_size;
	ChunkSequence sequence;
	std::optional<ContentChunk> kept; // did not fit into the last unit
	ByteRange::Extent extent;
	const Take &take;

	std::mutex mutex;
	std::condition_variable changed;
	bool is_claimed = false; // to the end
	std::uint64_t claimed = 0, memory_turn = 0, taken = 0;
	std::deque<Unit> ready;
	bool is_handing_out = false;
	Workers workers{[this] { wake_all(); }};
};

ReadPipeline::ReadPipeline(Store &store, Work &work) : store_(store), work_(work), plan_(store.settings()) {}

void ReadPipeline::read_little(const Entry &entry, const ByteRange::Extent &extent, const Take &take)
{
	ChunkSequence sequence(store_, entry, extent);
	StepClock clock(work_);
	while (const std::optional<ContentChunk> chunk = sequence.next()) {
		const Buffer bytes = store_.read_item(ItemKind::chunk, chunk->id);
		if (bytes.size() != chunk->size)
			throw wrong_size(chunk->id);
		check_interrupted();
		clock.lap(Step::read);
		const Bytes part = part_of(*chunk, bytes, extent);
		take(part);
		clock.lap(Step::write);
		work_.chunks.add();
		work_.bytes.add(part.size());
	}
}

void ReadPipeline::read(const Entry &entry, const ByteRange::Extent &extent, const Take &take)
{
	if (extent.size == 0)
		return;
	if (extent.size <= little_content) {
		read_little(entry, extent, take);
		return;
	}
	if (!memory_)
		memory_ = std::make_unique<ReadMemory>(plan_.memory);
	Run run(store_, work_, *memory_, plan_.unit, entry, extent, take);
	const std::uint64_t units = (extent.size + plan_.unit - 1) / plan_.unit;
	const std::size_t count = std::min<std::uint64_t>(plan_.threads, units);
	const Workers::Job work = [&run] { run.work(); };
	work_.workers.set(run.workers.start(count - 1, work) + 1);
	run.workers.run(work);
	run.workers.wait();
	if (run.workers.is_stopped()) {
		// Stopped, the memory is of no use any more.
		run.ready.clear();
		memory_.reset();
	}
	run.workers.join();
}

} // namespace dig
