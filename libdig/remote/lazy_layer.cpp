// The tables of a pack stand at its end, and their size is known from the footer only.  So the first request brings
// about as much as they take as a rule, and a second one what is missing.
//
// They are put into a file in which the blocks are a hole, so that a pack is read and checked like any other.
#include "libdig/remote/lazy_layer.h"

#include <algorithm>
#include <cstring>

#include "libdig/base/error.h"
#include "libdig/format/layer_reader.h"
#include "libdig/format/section_writer.h"

namespace dig {

constexpr std::uint64_t least_tail = 64_KiB;
// A block of 64 KiB in its pack takes some hundred bytes in the tables.
constexpr std::uint64_t share_of_tables = 48;
constexpr std::size_t sorter_memory = 24_MiB;

class LazyLayer {
public:
	LazyLayer(RemoteObjects &objects, const std::string &directory, Work &work)
		: objects_(objects), directory_(directory), work_(work), items_(directory, sorter_memory),
		  table_(File::temporary_in(directory))
	{
	}

	void add(const RootRecord::Pack &pack)
	{
		const Layer layer(tables_of(pack), pack.size);
		if (!layer.is_pack() || layer.pack_id() != pack.id)
			throw CorruptError("the pack " + to_hex(pack.id) + " is another one than its key says");
		layer.check_structure();
		if (pack.size > elsewhere_begin - size_ || blocks_ + layer.block_count() > UINT32_MAX)
			throw Error("the remote has more content than one layer can name");
		add_blocks(layer);
		add_items(layer);
		blocks_ += layer.block_count();
		size_ += pack.size;
		packs_.push_back(pack);
	}

	void finish(const File &file, const LazyStates &states)
	{
		const Preamble preamble = make_preamble(layer_magic);
		file.write_at(raw_bytes(preamble), 0);
		SectionWriter sections(file, sizeof preamble);
		sections.begin(Section::block_table);
		sections.write_from(table_, table_size_);
		sections.end();
		sections.write_chunk_index(items_);
		sections.write_states(states.range, 0, states.state, states.dropped);
		sections.write_optional_section(Section::chunking, states.chunking.encoded());
		sections.write_section(Section::elsewhere, encoded_packs(packs_));
		sections.write_footer(false);
	}

private:
	// The whole pack, with zeros in the place of its blocks.
	File tables_of(const RootRecord::Pack &pack)
	{
		if (pack.size < sizeof(Preamble) + sizeof(Footer))
			throw CorruptError("the pack " + to_hex(pack.id) + " is too short");
		File file = File::temporary_in(directory_);
		file.truncate(pack.size);
		file.write_at(raw_bytes(make_preamble(layer_magic)), 0);
		const std::uint64_t guess = std::max(least_tail, pack.size / share_of_tables);
		const std::uint64_t tail = std::min(pack.size - sizeof(Preamble), guess);
		copy_part(objects_, pack, pack.size - tail, pack.size, file, work_);
		const std::uint64_t begin = first_section(file, pack, pack.size - tail);
		if (begin < pack.size - tail)
			copy_part(objects_, pack, begin, pack.size - tail, file, work_);
		return file;
	}

	// Where the sections begin; checked by whoever reads the layer.
	static std::uint64_t first_section(const File &file, const RootRecord::Pack &pack, std::uint64_t begin)
	{
		Footer footer;
		file.read_exactly_at({reinterpret_cast<std::uint8_t *>(&footer), sizeof footer}, pack.size - sizeof footer);
		const std::uint64_t table = footer.section_table_offset;
		if (table < begin || table > pack.size - sizeof footer - sizeof(SectionRecord))
			throw CorruptError("the pack " + to_hex(pack.id) + " does not end as a pack");
		SectionRecord first;
		file.read_exactly_at({reinterpret_cast<std::uint8_t *>(&first), sizeof first}, table);
		if (first.offset < sizeof(Preamble) || first.offset > table)
			throw CorruptError("the pack " + to_hex(pack.id) + " does not end as a pack");
		return first.offset;
	}

	void add_blocks(const Layer &layer)
	{
		Buffer records;
		for (std::uint32_t i = 0; i < layer.block_count(); i++) {
			BlockRecord record = layer.block(i);
			record.offset = record.offset + elsewhere_begin + size_;
			append(records, raw_bytes(record));
			if (records.size() < 256_KiB && i + 1 < layer.block_count())
				continue;
			table_.write_at(records, table_size_);
			table_size_ += records.size();
			records.clear();
		}
	}

	void add_items(const Layer &layer)
	{
		RunRecords records = layer.records(0);
		while (const std::optional<RunRecord> record = records()) {
			ChunkRecord item{};
			item.digest = record->digest;
			item.block = record->block + static_cast<std::uint32_t>(blocks_);
			item.item = record->item;
			item.kind = record->kind;
			items_.put(item);
		}
	}

	RemoteObjects &objects_;
	std::string directory_;
	Work &work_;
	RecordSorter<ChunkRecord> items_;
	File table_; // of blocks
	std::uint64_t table_size_ = 0, blocks_ = 0, size_ = 0;
	std::vector<PackElsewhere> packs_;
};

void write_lazy_layer(const File &file, const LazyStates &states, const std::vector<RootRecord::Pack> &packs,
	RemoteObjects &objects, const std::string &directory, Work &work)
{
	LazyLayer layer(objects, directory, work);
	for (const RootRecord::Pack &pack : packs)
		layer.add(pack);
	layer.finish(file, states);
}

} // namespace dig
