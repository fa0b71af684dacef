// What goes into ingest and what comes out of it: sources in, units out, and the interface that takes
// the units.
//
//     submit(source) ─► Ingest ─► claim(chunk)  by any worker, while a unit is under way
//                              ─► take(unit)    by one thread, unit after unit
//
// A unit is handed over in one call, so nothing outlives it but what the sink keeps.  Units come in
// the order of submission, and so do the parts of a unit: the chunks of a source in the order of
// offsets, then its outcome, then the next source.  claim() was called for every chunk of a unit
// before take() is.  The committer asserts this order.
#ifndef DIG_INGEST_SINK_H
#define DIG_INGEST_SINK_H

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "libdig/chunking/block_tree.h"
#include "libdig/format/search_tree.h"
#include "libdig/os/beneath.h"
#include "libdig/staging/index_record.h"
#include "libdig/staging/staging.h"

namespace dig {

// A chunk, or several equal ones in a row, as in a hole.
struct ChunkRef {
	std::uint64_t offset; // of the first
	std::uint64_t size;   // of each
	Digest id;
	std::uint64_t count = 1;

	std::uint64_t end() const { return offset + size * count; }
};

// What comes next of a stream that comes in frames: bytes that are to be read, or zeros that are not in it.
struct ContentFrame {
	std::uint64_t size = 0; // 0 behind the last one
	bool is_hole = false;

	ContentFrame(std::uint64_t bytes, bool hole = false) : size(bytes), is_hole(hole) {}
};

// A path below the root directory, an open stream, or content in memory.
struct Source {
	std::string path;
	EntryKind kind = EntryKind::file; // or symlink
	std::optional<FileStat> stat;     // as the walk saw it; without a file, mode, time and size
	bool has_mtime = true;            // without a file
	std::optional<Buffer> content;    // of a small file, or the text of a symbolic link, that is in no file
	// Of a stream: when a segment has grown to this size, or has been read for this long, it is passed
	// on, even if more could come soon.  0 for never.
	std::uint64_t checkpoint_bytes = 0;
	std::int64_t checkpoint_ns = 0;
	std::shared_ptr<File> stream;    // without it, path is opened
	// Of a stream that comes in frames: waits for the next one.  Throws an Error if the content cannot be had
	// as a whole now, and StreamChanged if what has come is worth nothing.  By one worker at a time.
	std::function<ContentFrame()> next_frame;
	std::uint64_t frame_left = 0, zeros_left = 0; // of the frame; zeros_left: of a hole
	std::optional<std::uint64_t> stream_size; // if it is known
	std::shared_ptr<File> opened;    // path, if it is open already
	std::uint64_t resume_offset = 0; // what lies before it was cut and stored by an earlier run
	std::int64_t read_began_ns = 0;  // by that run; without one it is set when the file is opened
	int attempt = 0;
	bool takes_changing = false; // the content is taken even if the file changes while it is read
	// Of a stream or a file that is read by itself: the tree over blocks of what lies before resume_offset.
	// When chunks are handed over it is that of all content up to their end.  Null where nobody wants it.
	std::shared_ptr<BlockTree> blocks;

	// For the sink; ingest does not look at these.
	std::optional<IndexRecord> previous;
	std::shared_ptr<TreeBuilder> tree; // of the chunks so far; null before the second
	std::uint64_t only_size = 0;       // of the first chunk, until there is a tree
	std::string origin; // of a stream that can be had again from an offset on: which content it is
	std::uint64_t checkpointed = 0, taken = 0; // up to here chunks were handed over
	Digest last_chunk;

	// Whether it is read from the path.
	bool has_file() const { return !stream && !content; }
	void append_to_tree(std::span<const ChunkRef> chunks, const NodeSink &nodes);
	bool has_chunks() const { return tree || only_size > 0; }
	bool has_one_chunk() const { return tree ? tree->leaves() == 1 : only_size > 0; }
	// Of the chunks so far; one at least.
	TreeBuilder &get_tree(const NodeSink &nodes);
	// The file root of what was appended.  Ends the tree.
	Digest finish_tree(const NodeSink &nodes);
};

// The content of a stream has become another one while it came.
class StreamChanged : public Error {
public:
	using Error::Error;
};

struct SourceOutcome {
	FileStat stat;                  // after reading
	std::int64_t read_began_ns = 0; // before the first byte
	std::string error;              // empty when the source was taken
	bool has_changed = false;       // while it was read; it may be submitted again
	bool is_unsized = false;        // it seems to have changed, but only its size is not that of its content
	bool is_mixed = false;          // it has changed, and Source::takes_changing was set
	bool has_new = false;           // claim() was true for one of its chunks at least
	std::optional<Digest> digest;   // of the whole content, where core.file_digest asks for it
};

// What one unit hands over.  All of it ends with the call of take().
struct IngestedUnit {
	// Of one source.  A unit has parts of many small sources, or one part of a large one.
	struct Part {
		Source *source;
		std::span<const ChunkRef> chunks; // that follow those of the unit before; there may be none
		const SourceOutcome *outcome;     // null unless the source ends in this unit
	};
	std::span<const Part> parts;
	// The chunks that claim() was true for; all of them are chunks of the parts.
	std::span<const ReadyBlock> blocks;
};

class IngestSink {
public:
	virtual ~IngestSink() = default;

	// Whether content is stored; the same answer each time.  If not, nothing is claimed, and units
	// have no blocks.
	virtual bool stores_content() const { return false; }
	// True when the chunk is nowhere yet and has to be stored.  Several workers call it at once.
	virtual bool claim(const Digest &, Bytes) { return false; }
	// One call at a time, though not always by the same thread.  What it throws ends the ingest.
	virtual void take(const IngestedUnit &unit) = 0;
};

} // namespace dig

#endif
