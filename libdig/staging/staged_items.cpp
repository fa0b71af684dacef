// Readers take no lock, so that an add that runs for hours stops nobody.  What they see is a
// moment: the journal may grow while it is read, and a commit may rename the pack between two
// calls.  A journal that is open and still in its place belongs to the pack that was opened in
// between; else both are opened again.
#include "libdig/staging/staged_items.h"

#include <algorithm>
#include <numeric>

#include "libdig/os/directory.h"
#include "libdig/staging/index.h"
#include "libdig/staging/journal_state.h"

namespace dig {

static void check_shape(const JournalBlock &block, const BlockShape &shape, const std::string &name)
{
	const BlockRecord &record = block.record;
	if (shape.kind != block.kind() || static_cast<std::uint8_t>(shape.codec) != record.codec ||
		shape.raw_size != record.raw_size || shape.sizes.size() != record.items || shape.length() != record.length)
		throw CorruptError("a block is not the one that the journal says", name, record.offset);
}

static void check_items(const JournalBlock &block, const BlockShape &shape, Bytes raw, const std::string &name)
{
	const std::uint64_t offset = block.record.offset;
	std::size_t at = 0;
	for (std::size_t i = 0; i < block.items.size(); i++) {
		if (item_digest(shape.kind, raw.subspan(at, shape.sizes[i])) != block.items[i])
			throw CorruptError("a block holds other content than the journal says", name, offset);
		at += shape.sizes[i];
	}
}

void check_pack_block(const File &pack, const JournalBlock &block, Decompressor &decompressor)
{
	const StoredBlock stored = read_stored_block(pack, block.record.offset, block.record.length);
	check_shape(block, stored.shape, pack.name());
	Buffer raw(stored.shape.raw_size);
	decode_block(stored, decompressor, raw, pack.name(), block.record.offset);
	check_items(block, stored.shape, raw, pack.name());
}

void check_block_bytes(const File &pack, const JournalBlock &block, Decompressor &decompressor, Buffer &bytes)
{
	const std::uint64_t offset = block.record.offset;
	if (!block.checksum && block.record.codec != static_cast<std::uint8_t>(Codec::none))
		return check_pack_block(pack, block, decompressor);
	bytes.resize(block.record.length);
	pack.read_exactly_at(bytes, offset);
	const BlockShape shape = parse_block_prefix(bytes, pack.name(), offset);
	check_shape(block, shape, pack.name());
	const Bytes payload = Bytes(bytes).subspan(shape.prefix_size());
	if (!block.checksum)
		check_items(block, shape, payload, pack.name());
	else if (block_checksum(bytes, crc32_of(payload)) != *block.checksum)
		throw CorruptError("a block is not what was written", pack.name(), offset);
}

// The item of a block that is in the pack.
static Buffer read_staged_item(const File &pack, const JournalBlock &block, std::size_t number)
{
	const StoredBlock stored = read_stored_block(pack, block.record.offset, block.record.length);
	if (number >= stored.shape.sizes.size())
		throw CorruptError("a block has fewer items than the journal says", pack.name(), block.record.offset);
	Buffer raw(stored.shape.raw_size);
	Decompressor decompressor;
	decode_block(stored, decompressor, raw, pack.name(), block.record.offset);
	std::size_t at = 0;
	for (std::size_t i = 0; i < number; i++)
		at += stored.shape.sizes[i];
	const Bytes bytes = Bytes(raw).subspan(at, stored.shape.sizes[number]);
	if (item_digest(stored.shape.kind, bytes) != block.items[number])
		throw CorruptError("a block holds other content than the journal says", pack.name(), block.record.offset);
	return Buffer(bytes.begin(), bytes.end());
}

std::optional<File> find_pack(const StorePaths &paths)
{
	if (std::optional<File> pack = File::find(paths.staging() + "/pack"))
		return pack;
	const std::optional<File> journal = find_journal(paths.staging() + "/journal");
	if (!journal)
		return {};
	const JournalState state = JournalState::behind(*journal, {});
	return state.note() ? File::find(paths.layer(state.note()->layer_id)) : std::nullopt;
}

StagedBlocks::StagedBlocks(const StorePaths &paths)
{
	// The pack that was opened is that of the journal if this one is in its place still.
	const std::string path = paths.staging() + "/journal";
	for (;;) {
		journal_ = find_journal(path);
		pack_ = find_pack(paths);
		const std::optional<FileStat> there = find_stat(path);
		if (!journal_ || (there && there->inode == journal_->stat().inode))
			break;
	}
	if (journal_ && pack_)
		reader_.emplace(*journal_);
}

std::optional<JournalBlock> StagedBlocks::next()
{
	return reader_ ? next_block(*reader_, journal_->name()) : std::nullopt;
}

std::optional<Buffer> find_staged_item(const StorePaths &paths, ItemKind kind, const Digest &digest)
{
	StagedBlocks blocks(paths);
	while (const std::optional<JournalBlock> block = blocks.next()) {
		const auto item = std::find(block->items.begin(), block->items.end(), digest);
		if (item != block->items.end() && block->record.kind == static_cast<std::uint8_t>(kind))
			return read_staged_item(blocks.pack(), *block, static_cast<std::size_t>(item - block->items.begin()));
	}
	return {};
}

StagedNodes::StagedNodes(const StorePaths &paths) : blocks_(paths)
{
	while (const std::optional<JournalBlock> block = blocks_.next()) {
		if (block->record.kind != static_cast<std::uint8_t>(ItemKind::node))
			continue;
		for (std::size_t i = 0; i < block->items.size(); i++)
			places_.push_back({prefix_of(block->items[i]), block->record.offset, block->record.length,
				static_cast<std::uint32_t>(i)});
	}
	std::sort(places_.begin(), places_.end(),
		[](const Place &a, const Place &b) { return a.prefix < b.prefix; });
}

std::optional<Buffer> StagedNodes::find(const Digest &id)
{
	const std::uint64_t prefix = prefix_of(id);
	auto at = std::lower_bound(places_.begin(), places_.end(), prefix,
		[](const Place &place, std::uint64_t wanted) { return place.prefix < wanted; });
	for (; at != places_.end() && at->prefix == prefix; ++at) {
		if (offset_ != at->offset) {
			block_ = read_stored_block(blocks_.pack(), at->offset, at->length);
			raw_.resize(block_.shape.raw_size);
			decode_block(block_, decompressor_, raw_, blocks_.pack().name(), at->offset);
			offset_ = at->offset;
		}
		if (at->item >= block_.shape.sizes.size())
			continue;
		const auto sizes = block_.shape.sizes.begin();
		const std::size_t start = std::accumulate(sizes, sizes + at->item, std::size_t(0));
		const Bytes bytes = Bytes(raw_).subspan(start, block_.shape.sizes[at->item]);
		if (item_digest(ItemKind::node, bytes) == id)
			return Buffer(bytes.begin(), bytes.end());
	}
	return {};
}

// Whether a writer marks the journal as in use.  Readers take no lock, not even for a moment: the kernel's
// list tells, where there is one.  "1: FLOCK  ADVISORY  READ 4242 08:01:131076 0 EOF"
static bool is_in_use(const File &journal)
{
	const std::string inode = ":" + std::to_string(journal.stat().inode) + " ";
	const std::optional<File> list = File::find("/proc/locks");
	std::string text;
	Buffer window(64_KiB);
	while (const std::size_t n = list ? list->read_some(window) : 0) {
		text += text_of(Bytes(window).first(n));
		for (std::size_t end; (end = text.find('\n')) != text.npos; text.erase(0, end + 1)) {
			const std::string_view line = std::string_view(text).substr(0, end);
			if (line.find(" FLOCK ") != line.npos && line.find(" READ ") != line.npos && line.find(inode) != line.npos)
				return true;
		}
	}
	return false;
}

UnfinishedAdds find_unfinished_adds(const std::string &directory)
{
	UnfinishedAdds adds;
	const std::optional<File> journal = find_journal(directory + "/journal");
	if (!journal)
		return adds;
	adds.are_running = is_in_use(*journal);
	adds.bytes = JournalState::behind(*journal, Index::open(directory).state()).content_behind_merged();
	return adds;
}

std::vector<JournalFailure> recorded_failures(const std::string &directory)
{
	const std::optional<File> journal = find_journal(directory + "/journal");
	if (!journal)
		return {};
	return JournalState::behind(*journal, Index::open(directory).state()).failures();
}

} // namespace dig
