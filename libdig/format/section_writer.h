// The sections and the footer of a layer, written behind its blocks, front to back.
#ifndef DIG_SECTION_WRITER_H
#define DIG_SECTION_WRITER_H

#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_table.h"
#include "libdig/format/record_sorter.h"

namespace dig {

class SectionWriter {
public:
	// Writes into file from offset on; the file must end there.  A file that is not open is a layer
	// that only its size is wanted of.
	SectionWriter(const File &file, std::uint64_t offset) : file_(file), offset_(offset) {}
	// Where the next section begins, or the file ends.
	std::uint64_t offset() const { return offset_ + pending_.size(); }

	// A reader that does not know the section may ignore it.
	void write_optional_section(Section type, Bytes content);
	void begin(Section type);
	void write(Bytes bytes);
	// The first size bytes of a file.
	void write_from(const File &file, std::uint64_t size);
	void end();
	void write_section(Section type, Bytes content);
	// records is called twice, and must give all items of the layer in order each time, because
	// their number and their fanout stand in front of them.
	void write_chunk_index(const std::function<RunRecords()> &records);
	// The same for items that a sorter has.
	void write_chunk_index(RecordSorter<ChunkRecord> &items);
	// Header, peaks and texts of a layer of one generation.
	void write_state(const LayerState &state, const MerklePeaks &peaks_before);
	// States and dropped states of a merged layer.  state is called twice for each.
	void write_states(const GenerationRange &range, std::uint64_t epoch,
		const std::function<LayerState(std::uint64_t generation)> &state,
		const std::vector<GenerationRange> &dropped);
	// Returns the pack id.
	Digest write_footer(bool is_full);

private:
	void flush();

	const File &file_;
	std::uint64_t offset_; // of pending_
	Buffer pending_;
	std::vector<SectionRecord> sections_;
	std::uint32_t checksum_ = 0;
	Hasher pack_id_;
};

} // namespace dig

#endif
