// A run answers the question which layer and block has a chunk, for millions of chunks, in a few
// pages of memory.  Records are sorted by digest.  Digests are spread evenly, so the first bits of
// a digest tell where its records are: the fanout has for each value of these bits the number of
// records up to there.  It is chosen so large that a look-up has to read one page, or two when the
// records of a slot lie across a border.  A B-tree would need more pages on the way, and a hash
// table could not be merged with another one in order.
//
// Each page has a checksum of its own, since a look-up must not read the whole run to trust a part
// of it.  Nothing else protects a run, and nothing has to: it is derived, so that a damaged one is
// an error only for the reader that made the look-up, who then asks the layers, and the next writer
// makes the run anew.
//
// The number of records is not known before all sources are merged, but the size of the fanout has
// to be known first, because it stands in front of the records.  So the fanout is made for a limit
// that the caller knows, and head and fanout are written last.  A crash in between leaves a
// temporary file without a head, which is never published.
#include "libdig/format/chunk_run.h"

#include <algorithm>

namespace dig {

constexpr std::size_t page_size = 4096, page_bytes = page_size - 4;
constexpr std::size_t fanout_per_page = page_bytes / 8, records_per_page = page_bytes / sizeof(RunRecord);

constexpr int reads_before_keeping = 24;
constexpr std::size_t kept_at_once = 64_KiB;

// Version 1 does not name the source of a run.
constexpr std::uint16_t run_version = 2;

struct RunHead {
	Preamble preamble;
	le64 first_generation, last_generation;
	le64 count;
	std::uint8_t bits;
	std::uint8_t zero[7];
	le64 journal_offset;
	le64 zero_word;
	Digest source;
};
static_assert(sizeof(RunHead) == 104);

static std::uint64_t pages_for(std::uint64_t count, std::size_t per_page)
{
	return (count + per_page - 1) / per_page;
}

static void seal_page(Buffer &page)
{
	page.resize(page_bytes);
	put_u32(page, crc32_of(page));
}

// Collects pages and writes them in larger pieces.
class PageWriter {
public:
	PageWriter(const File &file, std::uint64_t offset) : file_(file), offset_(offset) {}
	void add(Buffer &page)
	{
		seal_page(page);
		append(pending_, page);
		page.clear();
		if (pending_.size() >= 256_KiB)
			flush();
	}
	void flush()
	{
		file_.write_at(pending_, offset_);
		offset_ += pending_.size();
		pending_.clear();
	}

private:
	const File &file_;
	std::uint64_t offset_;
	Buffer pending_;
};

void write_run(const File &file, const RunCoverage &coverage, std::uint64_t count_limit,
	const RunRecords &records)
{
	const int bits = fanout_bits(count_limit);
	std::vector<std::uint64_t> fanout(std::size_t(1) << bits);
	const std::uint64_t fanout_pages = pages_for(fanout.size(), fanout_per_page);
	PageWriter writer(file, (1 + fanout_pages) * page_size);
	Buffer page;
	std::uint64_t count = 0;
	RunRecord before{};
	while (std::optional<RunRecord> record = records()) {
		if (count > 0 && record->is_same_item(before))
			continue;
		before = *record;
		append(page, raw_bytes(*record));
		fanout[first_bits(record->digest, bits)]++;
		if (++count % records_per_page == 0)
			writer.add(page);
	}
	if (!page.empty())
		writer.add(page);
	writer.flush();

	RunHead head{};
	head.preamble = make_preamble(run_magic, {.version = run_version});
	head.first_generation = coverage.first_generation;
	head.last_generation = coverage.last_generation;
	head.count = count;
	head.bits = static_cast<std::uint8_t>(bits);
	head.journal_offset = coverage.journal_offset;
	head.source = coverage.source;
	PageWriter front(file, 0);
	append(page, raw_bytes(head));
	front.add(page);
	std::uint64_t sum = 0;
	for (std::size_t i = 0; i < fanout.size(); i++) {
		sum += fanout[i];
		put_u64(page, sum);
		if ((i + 1) % fanout_per_page == 0 || i + 1 == fanout.size())
			front.add(page);
	}
	front.flush();
}

ChunkRun::ChunkRun(File file, std::size_t cached_size) : file_(std::move(file)), cached_size_(cached_size)
{
	const std::uint64_t size = file_.size();
	if (size < page_size || size % page_size)
		throw CorruptError("its size is not a number of pages", file_.name(), size);
	page_count_ = size / page_size;
	const Bytes first = page(0);
	check_preamble(first, run_magic, file_.name(), false, {.version = run_version});
	RunHead head;
	std::memcpy(&head, first.data(), sizeof head);
	coverage_ = {head.first_generation, head.last_generation, head.journal_offset, head.source};
	count_ = head.count;
	bits_ = head.bits;
	if (bits_ > 16 || count_ > size / sizeof(RunRecord))
		throw CorruptError("the head's numbers are out of bounds", file_.name(), 24);
	const std::size_t slots = std::size_t(1) << bits_;
	first_record_page_ = 1 + pages_for(slots, fanout_per_page);
	if (page_count_ != first_record_page_ + pages_for(count_, records_per_page))
		throw CorruptError("its size does not agree with its head", file_.name(), size);
	fanout_.reserve(slots);
	for (std::size_t i = 0; i < slots; i++) {
		const Bytes at = page(1 + i / fanout_per_page).subspan(i % fanout_per_page * 8);
		fanout_.push_back(load<std::uint64_t>(at.data()));
		if (fanout_[i] > count_ || (i > 0 && fanout_[i] < fanout_[i - 1]))
			throw CorruptError("the fanout does not ascend", file_.name(), page_size);
	}
	if (fanout_.back() != count_)
		throw CorruptError("the fanout does not end with the count", file_.name(), page_size);
}

// Reads a window of pages unless it is there; checks every page that it reads.
Bytes ChunkRun::page(std::uint64_t number)
{
	const std::uint64_t have = pages_.size() / page_size;
	if (number < first_page_ || number >= first_page_ + have) {
		const bool whole = page_count_ * page_size <= (++reads_ > reads_before_keeping ? cached_size_ : kept_at_once);
		first_page_ = whole ? 0 : number;
		const std::uint64_t count =
			whole ? page_count_ : std::min<std::uint64_t>(2, page_count_ - number);
		pages_.resize(count * page_size);
		file_.read_exactly_at(pages_, first_page_ * page_size);
		for (std::uint64_t i = 0; i < count; i++) {
			const Bytes page = Bytes(pages_).subspan(i * page_size, page_size);
			if (crc32_of(page.first(page_bytes)) != load<std::uint32_t>(page.data() + page_bytes)) {
				pages_.clear();
				throw CorruptError("a page's checksum is wrong", file_.name(),
					(first_page_ + i) * page_size);
			}
		}
	}
	return Bytes(pages_).subspan((number - first_page_) * page_size, page_size);
}

RunRecord ChunkRun::record(std::uint64_t number)
{
	RunRecord record;
	const Bytes in = page(first_record_page_ + number / records_per_page);
	std::memcpy(&record, in.data() + number % records_per_page * sizeof record, sizeof record);
	return record;
}

std::optional<RunRecord> ChunkRun::find(ItemKind kind, const Digest &digest)
{
	const std::uint32_t slot = first_bits(digest, bits_);
	std::uint64_t low = slot ? fanout_[slot - 1] : 0, high = fanout_[slot];
	RunRecord wanted{};
	wanted.digest = digest;
	wanted.kind = static_cast<std::uint8_t>(kind);
	while (low < high) {
		const std::uint64_t middle = (low + high) / 2;
		const RunRecord found = record(middle);
		if (found.is_same_item(wanted))
			return found;
		if (found < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return {};
}

RunRecords ChunkRun::records()
{
	struct State {
		std::uint64_t next = 0;
		Buffer pages;
		std::uint64_t first_page = 0;
	};
	// A window of its own, larger than that of look-ups.
	return [this, state = std::make_shared<State>()]() -> std::optional<RunRecord> {
		if (state->next == count_)
			return {};
		const std::uint64_t number = first_record_page_ + state->next / records_per_page;
		const std::uint64_t have = state->pages.size() / page_size;
		if (have == 0 || number >= state->first_page + have) {
			const std::uint64_t count = std::min<std::uint64_t>(16, page_count_ - number);
			state->first_page = number;
			state->pages.resize(count * page_size);
			file_.read_exactly_at(state->pages, number * page_size);
			for (std::uint64_t i = 0; i < count; i++) {
				const Bytes page = Bytes(state->pages).subspan(i * page_size, page_size);
				if (crc32_of(page.first(page_bytes)) !=
					load<std::uint32_t>(page.data() + page_bytes))
					throw CorruptError("a page's checksum is wrong", file_.name(),
						(number + i) * page_size);
			}
		}
		RunRecord record;
		std::memcpy(&record,
			state->pages.data() + (number - state->first_page) * page_size +
				state->next % records_per_page * sizeof record,
			sizeof record);
		state->next++;
		return record;
	};
}

void ChunkRun::check()
{
	RunRecords all = records();
	std::optional<RunRecord> before;
	while (std::optional<RunRecord> record = all()) {
		if (before && !(*before < *record))
			throw CorruptError("its records are not in order", file_.name(), 0);
		before = record;
	}
	const Bytes head = page(0);
	if (std::any_of(head.begin() + sizeof(RunHead), head.begin() + page_bytes,
		    [](std::uint8_t byte) { return byte != 0; }))
		throw CorruptError("reserved bytes are not zero", file_.name(), sizeof(RunHead));
}

RunRecords merge_records(std::vector<RunRecords> sources)
{
	if (sources.size() == 1)
		return std::move(sources[0]);
	struct Source {
		RunRecords next;
		std::optional<RunRecord> current;
	};
	auto all = std::make_shared<std::vector<Source>>();
	for (RunRecords &records : sources) {
		std::optional<RunRecord> first = records();
		all->push_back({std::move(records), first});
	}
	return [all]() -> std::optional<RunRecord> {
		Source *least = nullptr;
		for (Source &source : *all)
			if (source.current && (!least || *source.current < *least->current))
				least = &source;
		if (!least)
			return {};
		const RunRecord record = *least->current;
		for (Source &source : *all)
			while (source.current && source.current->is_same_item(record))
				source.current = source.next();
		return record;
	};
}

} // namespace dig
