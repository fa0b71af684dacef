// The pack is a layer without an end, so making a layer of it copies nothing: a table of blocks and the
// other sections are written behind the last block, and the file gets its new name.
//
// The order decides what a crash leaves:
//
//  1. The sections, and a sync of the pack.  A crash leaves a pack with bytes behind its last block, which
//     the next writer overwrites.
//  2. A note in the journal with the id of the layer, and a sync of the journal.
//  3. The rename, and a sync of the directory.  After a crash the note tells the next writer what it
//     finds: the pack in its old place, then the note is cancelled and all is as before step 1; or the
//     layer, which becomes a state if update_root() comes, and the pack again if something else does.
//
// A damaged block must not become part of a layer, because an add that finds the content there does not
// store it again.  So blocks are read again and compared, except those that storage has just received
// (find_rested_size, and Design on what is promised).
#include "libdig/verbs/layer_writer.h"

#include <algorithm>

#include "libdig/base/trace.h"
#include "libdig/format/section_writer.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"
#include "libdig/staging/staged_items.h"

namespace dig {

// Packs up to this size are always read again, which takes milliseconds; of larger ones all, when somebody
// may have written to them, else what storage had so much time to lose something of.
constexpr std::uint64_t always_checked = 32_MiB;
constexpr std::int64_t fresh_ns = 600'000'000'000;

class LayerWriter {
public:
	explicit LayerWriter(StagingWriter &staging)
		: staging_(staging), pack_(staging.pack()), sections_(pack_.file(), pack_.size()),
		  decodes_all_(staging.store().settings().core.verify_writes), rested_size_(find_rested_size())
	{
	}

	void write_block_table(Work &work);
	void write_sections(const LayerText &text);
	Digest publish(const LayerText &text);

private:
	std::uint64_t find_rested_size() const;
	void check_block(const JournalBlock &block);
	void clear_up_to(std::uint64_t offset);

	StagingWriter &staging_;
	Pack &pack_;
	SectionWriter sections_;
	bool decodes_all_;
	std::uint64_t rested_size_; // up to here storage had time to lose something
	Decompressor decompressor_;
	Buffer bytes_;                         // of the block that is checked
	std::uint64_t end_ = sizeof(Preamble); // of the block before
	std::uint64_t raw_bytes_ = 0;          // of chunks in blocks that are not compressed
};

// The end of the last add that is not fresh.  Ages are differences of change times of the pack, so that
// they are right where a file system has a clock of its own.  The latest is that of what this commit
// has appended just now; where it has appended nothing, no age is known.
std::uint64_t LayerWriter::find_rested_size() const
{
	if (pack_.size() <= always_checked || pack_.appended_bytes() == 0)
		return pack_.size();
	const std::int64_t now = pack_.file().stat().ctime_ns;
	std::uint64_t rested = 0;
	JournalReader reader(pack_.journal());
	while (const std::optional<JournalMark> mark = next_mark(reader, pack_.journal().name())) {
		const std::int64_t age = now - mark->pack_change_ns;
		if (mark->pack_change_ns != 0 && (age < 0 || age >= fresh_ns))
			rested = std::max(rested, mark->pack_size);
	}
	return rested;
}

// What becomes a layer is what was written.
void LayerWriter::check_block(const JournalBlock &block)
{
	if (!decodes_all_ && block.end() <= pack_.trusted_size() && block.end() > rested_size_)
		return;
	trace_count("pack bytes read again", block.record.length);
	try {
		if (decodes_all_)
			check_pack_block(pack_.file(), block, decompressor_);
		else
			check_block_bytes(pack_.file(), block, decompressor_, bytes_);
	} catch (const CorruptError &error) {
		throw CorruptError(error.what() + std::string(reset_advice));
	}
}

// Between blocks lies what was dropped.
void LayerWriter::clear_up_to(std::uint64_t offset)
{
	if (offset > end_)
		pack_.clear(end_, offset - end_);
}

void LayerWriter::write_block_table(Work &work)
{
	sections_.begin(Section::block_table);
	const std::string &name = pack_.journal().name();
	JournalReader reader(pack_.journal());
	std::uint64_t chunks = 0, new_bytes = 0, stored_bytes = 0;
	std::uint32_t count = 0;
	while (const std::optional<JournalBlock> block = next_block(reader, name)) {
		check_interrupted();
		if (block->number != count++ || block->record.offset < end_ || block->end() > pack_.size())
			throw CorruptError("its blocks are not in order" + std::string(reset_advice), name, reader.record_offset());
		check_block(*block);
		sections_.write(raw_bytes(block->record));
		clear_up_to(block->record.offset);
		end_ = block->end();
		if (block->kind() == ItemKind::chunk) {
			chunks += block->record.items;
			new_bytes += block->record.raw_size;
			stored_bytes += block->record.length;
			if (block->record.codec == static_cast<std::uint8_t>(Codec::none))
				raw_bytes_ += block->record.raw_size;
		}
	}
	if (reader.offset() != pack_.journal_size() || count != pack_.state().block_count())
		throw CorruptError("a record is damaged" + std::string(reset_advice), name, reader.offset());
	clear_up_to(pack_.size());
	sections_.end();
	work.chunks.set(chunks);
	work.new_bytes.set(new_bytes);
	work.stored_bytes.set(stored_bytes);
}

void LayerWriter::write_sections(const LayerText &text)
{
	sections_.write_chunk_index([this] { return staging_.pack_items(); });
	sections_.write_state({text.header, std::string(text.author), std::string(text.message)}, text.peaks);
	if (staging_.store().settings().core.compression == Compression::later && raw_bytes_ > 0) {
		Buffer packing;
		put_u8(packing, 0);
		put_u64(packing, raw_bytes_);
		sections_.write_optional_section(Section::packing, packing);
	}
	sections_.write_footer(text.is_full);
}

Digest LayerWriter::publish(const LayerText &text)
{
	JournalNote note;
	note.layer_id = text.header.id();
	note.pack_size = pack_.size();
	note.sequence = text.sequence;
	note.manifest_root = text.header.manifest_root;
	pack_.become(staging_.store().paths().layer(note.layer_id), note);
	return note.layer_id;
}

Digest publish_layer(StagingWriter &staging, const LayerText &text, Work &work)
{
	Digest id;
	staging.locked([&] {
		LayerWriter writer(staging);
		writer.write_block_table(work);
		writer.write_sections(text);
		id = writer.publish(text);
	});
	return id;
}

} // namespace dig
