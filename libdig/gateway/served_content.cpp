// A client takes its content as fast as its line is, and a chunk can only be verified as a whole.  So
// somebody has to keep chunks until a client has taken them, for any number of clients, in bounded
// memory.
//
// Each stream reads a window: chunks of about 1 MiB, which are hashed side by side.  The windows of all
// streams together have a limit.  Where it is reached, a stream gets memory for the time of a call
// only: it reads and verifies its next chunk, copies as much of it as the client takes now, and reads
// the chunk again for the next piece.  That is slower, costs no memory, and no client waits for another
// one that is slow.  A chunk that has to be decoded goes to a temporary file for that.
//
// A part of a chunk that was verified before, and lies raw, is read alone and compared with checksums
// (verified_chunks).  A small file shares its block with others, and decoded blocks are kept
// (decoded_blocks); what comes out of one is hashed each time.
#include "libdig/gateway/served_content.h"

#include <algorithm>
#include <cstring>

#include "libdig/os/environment.h"

namespace dig {

constexpr std::uint64_t window_goal = 1_MiB;
constexpr std::size_t most_window_chunks = 1024;
constexpr std::size_t most_idle_pieces = 16;
constexpr std::uint64_t least_noted = 128_KiB; // smaller chunks are read as a whole

// --- memory ---------------------------------------------------------------------------------

WindowMemory::Lease &WindowMemory::Lease::operator=(Lease &&other) noexcept
{
	std::swap(owner_, other.owner_);
	std::swap(bytes_, other.bytes_);
	std::swap(size_, other.size_);
	return *this;
}

WindowMemory::Lease::~Lease()
{
	if (bytes_)
		owner_->give_back(std::move(bytes_), size_);
}

// Sizes are alike, so that pieces fit again.
static std::size_t piece_size(std::size_t size)
{
	constexpr std::size_t step = 512_KiB;
	return std::max<std::size_t>((size + step - 1) / step * step, step);
}

std::optional<WindowMemory::Lease> WindowMemory::find(std::size_t size)
{
	std::unique_lock lock(mutex_);
	if (size_ + piece_size(size) > limit_)
		return {};
	return take(size, std::move(lock));
}

WindowMemory::Lease WindowMemory::get(std::size_t size) { return take(size, std::unique_lock(mutex_)); }

WindowMemory::Lease WindowMemory::take(std::size_t size, std::unique_lock<std::mutex> lock)
{
	size = piece_size(size);
	size_ += size;
	// The last one is likeliest to be in the caches of the processor.
	const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
		[&](const auto &piece) { return piece.first >= size && piece.first <= 2 * size; });
	if (found != idle_.rend()) {
		size_ += found->first - size;
		size = found->first;
		std::unique_ptr<std::uint8_t[]> bytes = std::move(found->second);
		idle_.erase(std::next(found).base());
		idle_size_ -= size;
		return Lease(*this, std::move(bytes), size);
	}
	// What lies idle counts, too.
	while (!idle_.empty() && size_ + idle_size_ > limit_) {
		idle_size_ -= idle_.front().first;
		idle_.erase(idle_.begin());
	}
	lock.unlock();
	try {
		return Lease(*this, std::make_unique_for_overwrite<std::uint8_t[]>(size), size);
	} catch (const std::bad_alloc &) {
		lock.lock();
		size_ -= size;
		throw;
	}
}

void WindowMemory::give_back(std::unique_ptr<std::uint8_t[]> bytes, std::size_t size)
{
	std::lock_guard guard(mutex_);
	size_ -= size;
	if (idle_.size() >= most_idle_pieces || size_ + idle_size_ + size > limit_)
		return;
	idle_size_ += size;
	idle_.emplace_back(size, std::move(bytes));
}

// --- reading --------------------------------------------------------------------------------

// A reader that nobody else uses meanwhile: it has a decompressor and tables, which are worth keeping.
class ServedContent::Reader {
public:
	explicit Reader(ServedContent &content) : content_(content)
	{
		{
			std::lock_guard guard(content.mutex_);
			if (!content.idle_readers_.empty()) {
				reader_ = std::move(content.idle_readers_.back());
				content.idle_readers_.pop_back();
			}
		}
		if (!reader_)
			reader_ = std::make_unique<ChunkReader>(content.store_, content.blocks_.cache(), unseen_work());
	}
	~Reader()
	{
		std::lock_guard guard(content_.mutex_);
		content_.idle_readers_.push_back(std::move(reader_));
	}
	Reader(const Reader &) = delete;
	ChunkReader &operator*() const { return *reader_; }
	ChunkReader *operator->() const { return reader_.get(); }

private:
	ServedContent &content_;
	std::unique_ptr<ChunkReader> reader_;
};

void ServedContent::read_chunks(ChunkReader &reader, std::span<WantedChunk> chunks, MutableBytes memory)
{
	reader.read(chunks, memory);
	for (const WantedChunk &wanted : chunks) {
		if (wanted.has_failed())
			throw Error(wanted.failure, wanted.status);
		if (wanted.bytes.size() >= least_noted)
			verified_.note(wanted.chunk, wanted.bytes);
	}
}

static Bytes part_of(const ContentChunk &chunk, Bytes bytes, const ByteRange::Extent &extent)
{
	const std::uint64_t from = std::max(chunk.offset, extent.offset);
	const std::uint64_t to = std::min(chunk.offset + chunk.size, extent.offset + extent.size);
	return bytes.subspan(from - chunk.offset, to - from);
}

// The next chunks, but no more than most.
static std::vector<ContentChunk> chunks_of(ChunkWalk &&sequence, std::size_t most)
{
	std::vector<ContentChunk> chunks;
	while (chunks.size() < most) {
		const std::optional<ContentChunk> chunk = sequence.next();
		if (!chunk)
			break;
		chunks.push_back(*chunk);
	}
	return chunks;
}

template <typename Chunks> static std::vector<WantedChunk> wanted_chunks(const Chunks &chunks)
{
	std::vector<WantedChunk> wanted;
	wanted.reserve(chunks.size());
	for (const ContentChunk &chunk : chunks)
		wanted.emplace_back().chunk = chunk;
	return wanted;
}

ServedContent::ServedContent(Store &store, KeptNodes &nodes, const Limits &limits)
	: store_(store), nodes_(nodes), blocks_(limits.blocks, temporary_directory(), limits.block_file),
	  verified_(store, blocks_, limits.checksums), memory_(limits.windows)
{
}

bool ServedContent::find_decoded(const ItemPlace &place, const Digest &chunk, MutableBytes out)
{
	return blocks_.find({place.generation, place.place.block}, place.place.item, out) && digest_of(out) == chunk;
}

// All of the content of an entry with one chunk.
bool ServedContent::read_small(const Entry &entry, MutableBytes out)
{
	const std::optional<ItemPlace> place = store_.find_item(ItemKind::chunk, entry.content);
	if (place && find_decoded(*place, entry.content, out))
		return true;
	WantedChunk wanted;
	wanted.chunk = {entry.content, entry.size, 0};
	const Reader reader(*this);
	const WindowMemory::Lease memory = memory_.get(reader->locate({&wanted, 1}));
	read_chunks(*reader, {&wanted, 1}, memory.bytes());
	if (wanted.bytes.size() != out.size())
		return false;
	std::copy(wanted.bytes.begin(), wanted.bytes.end(), out.begin());
	if (place)
		blocks_.note({place->generation, place->place.block});
	return true;
}

static CorruptError wrong_list(const Entry &entry)
{
	return CorruptError("the chunk list of " + quote(entry.path) + " has other content than its entry says");
}

void ServedContent::read(const Entry &entry, const ByteRange::Extent &extent, MutableBytes out)
{
	if (extent.size == 0)
		return;
	if (entry.form == ContentForm::chunk && extent.size == entry.size && read_small(entry, out))
		return;
	std::vector<WantedChunk> chunks = wanted_chunks(chunks_of(ChunkWalk(nodes_, entry, extent), out.size()));
	const Reader reader(*this);
	const WindowMemory::Lease memory = memory_.get(reader->locate(chunks));
	read_chunks(*reader, chunks, memory.bytes());
	std::size_t done = 0;
	for (const WantedChunk &wanted : chunks) {
		const Bytes part = part_of(wanted.chunk, wanted.bytes, extent);
		std::copy(part.begin(), part.end(), out.begin() + static_cast<std::ptrdiff_t>(done));
		done += part.size();
	}
	if (done != out.size())
		throw wrong_list(entry);
}

static std::uint64_t size_of(std::span<const Bytes> parts)
{
	std::uint64_t size = 0;
	for (const Bytes part : parts)
		size += part.size();
	return size;
}

ServedContent::Plan ServedContent::planned(ChunkReader &reader, std::span<const ContentChunk> chunks,
	const ByteRange::Extent &extent, bool trusts_checksums)
{
	Plan plan;
	for (const ContentChunk &chunk : chunks) {
		std::optional<VerifiedChunks::Part> &part = plan.known.emplace_back();
		if (trusts_checksums)
			part = verified_.find(chunk, extent);
		if (part)
			plan.size += part->size();
		else
			plan.wanted.emplace_back().chunk = chunk;
	}
	if (!plan.wanted.empty())
		plan.wanted_size = reader.locate(plan.wanted);
	plan.size += plan.wanted_size;
	return plan;
}

void ServedContent::keep_decoded(const WantedChunk &wanted)
{
	const std::optional<ItemPlace> place = store_.find_item(ItemKind::chunk, wanted.chunk.id);
	if (!place || wanted.bytes.size() < least_noted)
		return;
	const BlockRecord record = store_.layer(place->generation)->block(place->place.block);
	if (record.items == 1 && record.codec != static_cast<std::uint8_t>(Codec::none))
		blocks_.keep_chunk({place->generation, place->place.block}, wanted.bytes);
}

bool ServedContent::read_planned(ChunkReader &reader, Plan &plan, const ByteRange::Extent &extent, Window &window)
{
	const MutableBytes memory = window.memory.bytes();
	if (!plan.wanted.empty())
		read_chunks(reader, plan.wanted, memory.first(plan.wanted_size));
	MutableBytes rest = memory.subspan(plan.wanted_size);
	auto next = plan.wanted.begin();
	for (const std::optional<VerifiedChunks::Part> &part : plan.known) {
		if (!part) {
			window.parts.push_back(part_of(next->chunk, next->bytes, extent));
			next++;
			continue;
		}
		const std::optional<Bytes> bytes = VerifiedChunks::read(*part, rest.first(part->size()));
		if (!bytes)
			return false;
		window.parts.push_back(*bytes);
		rest = rest.subspan(part->size());
	}
	return true;
}

std::optional<ServedContent::Window> ServedContent::find_window(const Entry &entry, const ByteRange::Extent &extent)
{
	const std::vector<ContentChunk> chunks = chunks_of(ChunkWalk(nodes_, entry, extent), most_window_chunks + 1);
	if (chunks.size() > most_window_chunks)
		return {};
	const Reader reader(*this);
	for (const bool trusts_checksums : {true, false}) {
		Plan plan = planned(*reader, chunks, extent, trusts_checksums);
		std::optional<WindowMemory::Lease> memory = memory_.find(plan.size);
		if (!memory)
			return {};
		Window window{{}, std::move(*memory)};
		if (!read_planned(*reader, plan, extent, window))
			continue;
		if (size_of(window.parts) != extent.size)
			throw wrong_list(entry);
		return window;
	}
	return {};
}

// --- streams --------------------------------------------------------------------------------

ServedContent::Stream::Stream(ServedContent &content, Entry entry, const ByteRange::Extent &extent)
	: content_(content), entry_(std::move(entry)), extent_(extent), chunks_(content.nodes_, entry_, extent),
	  offset_(extent.offset)
{
}

void ServedContent::Stream::take_chunks()
{
	std::uint64_t size = 0;
	for (const ContentChunk &chunk : ahead_)
		size += chunk.size;
	while (size < window_goal && ahead_.size() < most_window_chunks) {
		const std::optional<ContentChunk> chunk = chunks_.next();
		if (!chunk)
			return;
		size += chunk->size;
		ahead_.push_back(*chunk);
	}
}

std::size_t ServedContent::Stream::take_from_window(MutableBytes out)
{
	std::size_t done = 0;
	while (done < out.size() && part_ < window_.parts.size()) {
		const Bytes rest = window_.parts[part_].subspan(taken_);
		const std::size_t size = std::min(rest.size(), out.size() - done);
		std::memcpy(out.data() + done, rest.data(), size);
		done += size;
		taken_ += size;
		if (size == rest.size()) {
			part_++;
			taken_ = 0;
		}
	}
	if (part_ == window_.parts.size())
		window_ = Window();
	offset_ += done;
	return done;
}

// Reads a window, if there is memory for it.  Otherwise some of the next chunk, for the time of this
// call, if something is wanted now.
bool ServedContent::Stream::fill_window(std::size_t wanted_now)
{
	take_chunks();
	if (ahead_.empty())
		return false;
	const Reader reader(content_);
	part_ = taken_ = 0;
	for (const bool trusts_checksums : {true, false}) {
		std::vector<ContentChunk> chunks(ahead_.begin(), ahead_.end());
		ByteRange::Extent left{offset_, extent_.offset + extent_.size - offset_};
		Plan plan = content_.planned(*reader, chunks, left, trusts_checksums);
		std::optional<WindowMemory::Lease> memory = content_.memory_.find(plan.size);
		is_kept_ = memory.has_value();
		if (!is_kept_) {
			if (wanted_now == 0)
				return false;
			chunks.resize(1);
			left.size = std::min<std::uint64_t>(left.size, wanted_now);
			plan = content_.planned(*reader, chunks, left, trusts_checksums);
			memory = content_.memory_.get(plan.size);
		}
		window_ = Window{{}, std::move(*memory)};
		if (!content_.read_planned(*reader, plan, left, window_))
			continue;
		if (!is_kept_ && !plan.wanted.empty())
			content_.keep_decoded(plan.wanted.front());
		break;
	}
	if (is_kept_)
		ahead_.clear();
	return true;
}

void ServedContent::Stream::prepare()
{
	if (window_.parts.empty())
		fill_window(0);
}

std::size_t ServedContent::Stream::read(MutableBytes out)
{
	if (window_.parts.empty() && !fill_window(out.size()))
		return 0;
	const std::size_t done = take_from_window(out);
	if (!is_kept_) {
		// What is left of a chunk is read again.
		window_ = Window();
		while (!ahead_.empty() && ahead_.front().offset + ahead_.front().size <= offset_)
			ahead_.pop_front();
	}
	return done;
}

} // namespace dig
