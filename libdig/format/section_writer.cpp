// A layer is written front to back, and its sections may be larger than memory: each goes through
// one buffer, from which its checksum is computed on the way.  The pack id is the hash of all items
// with their kinds and of the section table, so it can be finished only with the footer.
#include "libdig/format/section_writer.h"

#include <algorithm>

namespace dig {

constexpr std::size_t write_size = 256_KiB;

void SectionWriter::flush()
{
	if (file_.is_open())
		file_.write_at(pending_, offset_);
	offset_ += pending_.size();
	pending_.clear();
}

void SectionWriter::begin(Section type)
{
	SectionRecord section{};
	section.type = static_cast<std::uint16_t>(type);
	section.flags = section_needed;
	section.offset = offset_ + pending_.size();
	sections_.push_back(section);
	checksum_ = 0;
}

void SectionWriter::write(Bytes bytes)
{
	checksum_ = crc32_of(bytes, checksum_);
	append(pending_, bytes);
	if (pending_.size() >= write_size)
		flush();
}

void SectionWriter::write_from(const File &file, std::uint64_t size)
{
	Buffer window;
	for (std::uint64_t done = 0; done < size; done += window.size()) {
		window.resize(std::min<std::uint64_t>(write_size, size - done));
		file.read_exactly_at(window, done);
		write(window);
	}
}

void SectionWriter::end()
{
	SectionRecord &section = sections_.back();
	section.size = offset_ + pending_.size() - section.offset;
	section.checksum = checksum_;
}

void SectionWriter::write_section(Section type, Bytes content)
{
	begin(type);
	write(content);
	end();
}

void SectionWriter::write_optional_section(Section type, Bytes content)
{
	write_section(type, content);
	sections_.back().flags = 0;
}

void SectionWriter::write_chunk_index(const std::function<RunRecords()> &records)
{
	// Counted by the first 16 bits, the finest fanout there is.
	std::vector<std::uint64_t> counts(65536);
	std::uint64_t count = 0;
	RunRecords first = records();
	RunRecord before{};
	while (const std::optional<RunRecord> record = first()) {
		if (count > 0 && record->is_same_item(before))
			continue;
		counts[first_bits(record->digest, 16)]++;
		count++;
		before = *record;
	}
	begin(Section::chunk_index);
	const int bits = fanout_bits(count);
	Buffer head;
	put_u64(head, count);
	put_u8(head, static_cast<std::uint8_t>(bits));
	head.resize(16);
	// A slot of this fanout is a row of slots of the finest one.
	std::uint64_t sum = 0;
	for (std::size_t i = 0; i < counts.size(); i++) {
		sum += counts[i];
		if ((i + 1) % (std::size_t(65536) >> bits) == 0)
			put_u64(head, sum);
	}
	write(head);
	RunRecords again = records();
	Buffer digests;
	count = 0;
	while (const std::optional<RunRecord> record = again()) {
		if (count > 0 && record->is_same_item(before))
			continue;
		count++;
		before = *record;
		ChunkRecord out{};
		out.digest = record->digest;
		out.block = record->block;
		out.item = record->item;
		out.kind = record->kind;
		write(raw_bytes(out));
		put_u8(digests, record->kind);
		append(digests, record->digest);
		if (digests.size() > write_size) {
			pack_id_.update(digests);
			digests.clear();
		}
	}
	pack_id_.update(digests);
	end();
}

void SectionWriter::write_chunk_index(RecordSorter<ChunkRecord> &items)
{
	write_chunk_index([&items]() -> RunRecords {
		return [records = items.sorted()]() mutable -> std::optional<RunRecord> {
			const std::optional<ChunkRecord> item = records();
			if (!item)
				return {};
			RunRecord record{};
			record.digest = item->digest;
			record.block = item->block;
			record.item = item->item;
			record.kind = item->kind;
			return record;
		};
	});
}

void SectionWriter::write_state(const LayerState &state, const MerklePeaks &peaks_before)
{
	write_section(Section::header, state.header.encoded());
	Buffer peaks;
	put_u8(peaks, static_cast<std::uint8_t>(peaks_before.peaks().size()));
	for (const Digest &peak : peaks_before.peaks())
		append(peaks, peak);
	write_section(Section::peaks, peaks);
	Buffer texts;
	for (const std::string *text : {&state.author, &state.message}) {
		put_u32(texts, static_cast<std::uint32_t>(text->size()));
		append(texts, bytes_of(*text));
	}
	write_section(Section::texts, texts);
}

// Twice through all states, since their places come first, and messages may be long.
void SectionWriter::write_states(const GenerationRange &range, std::uint64_t epoch,
	const std::function<LayerState(std::uint64_t generation)> &state, const std::vector<GenerationRange> &dropped)
{
	const std::uint64_t count = range.last - range.first + 1;
	Buffer head;
	put_u64(head, range.first);
	put_u64(head, count);
	put_u64(head, epoch);
	std::uint64_t place = head.size() + 8 * count;
	for (std::uint64_t i = range.first; i <= range.last; i++) {
		put_u64(head, place);
		place += state(i).encoded().size();
	}
	begin(Section::states);
	write(head);
	for (std::uint64_t i = range.first; i <= range.last; i++)
		write(state(i).encoded());
	end();
	Buffer ranges;
	put_ranges(ranges, dropped);
	write_section(Section::dropped, ranges);
}

Digest SectionWriter::write_footer(bool is_full)
{
	Buffer table;
	for (const SectionRecord &section : sections_)
		append(table, raw_bytes(section));
	Footer footer{};
	footer.section_table_offset = offset_ + pending_.size();
	footer.section_count = static_cast<std::uint32_t>(sections_.size());
	footer.flags = is_full ? layer_is_full : 0;
	footer.pack_id = pack_id_.update(table).finish();
	footer.file_size = footer.section_table_offset + table.size() + sizeof footer;
	// The footer has a checksum of its own and one of the table, and the table has one for each
	// section.  A reader checks what it uses, in this order.
	footer.section_table_checksum = crc32_of(table);
	std::memcpy(footer.magic, footer_magic.data(), sizeof footer.magic);
	footer.checksum = crc32_of(raw_bytes(footer).first(sizeof footer - 4));
	append(pending_, table);
	append(pending_, raw_bytes(footer));
	flush();
	return footer.pack_id;
}

} // namespace dig
