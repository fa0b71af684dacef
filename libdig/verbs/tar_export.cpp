// The map of a sparse file stands in front of its data, and the size of both in front of the map.  A map can
// have any number of pieces, so it is not kept: the chunk list is gone through once for the sizes, and once
// for the map.  That costs its nodes, which are small beside the content.
#include "libdig/verbs/tar_export.h"

#include "libdig/archive/tar_writer.h"
#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/os/process.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/selection.h"
#include "libdig/verbs/zero_chunks.h"

namespace dig {

constexpr std::uint64_t least_holes = 1_MiB; // with fewer zeros it is an ordinary file

class TarExport {
public:
	TarExport(Store &store, const TarExportOptions &options, const std::function<void(Bytes)> &write)
		: store_(store), options_(options), work_(*options.work), pipeline_(store, work_), zeros_(store.chunking()),
		  archive_(write)
	{
	}

	void check(const Selection &selection)
	{
		work_.begin_stage("check");
		ConflictCheck conflicts;
		selection.walk([&](const Entry &entry) {
			if (const std::string_view problem = path_problem(entry.path); !problem.empty())
				throw CorruptError("the state has the path " + quote(entry.path) +
					", which is not allowed: " + std::string(problem));
			conflicts.add(entry);
			totals_.files += entry.kind == EntryKind::file;
			totals_.bytes += entry.kind == EntryKind::file ? entry.size : 0;
		});
	}

	void write(const Selection &selection)
	{
		work_.begin_stage("read", totals_);
		selection.walk([&](const Entry &entry) { put(entry); });
		archive_.finish();
	}

	std::uint64_t unknown_count() const { return unknown_; }

private:
	void put(const Entry &entry)
	{
		const TarWriter::Member member{entry.path, entry.mode, entry.mtime_ns.value_or(options_.time_ns)};
		switch (entry.kind) {
		case EntryKind::file: return put_file(member, entry);
		case EntryKind::symlink: return archive_.symlink(member, text(entry));
		case EntryKind::empty_directory: return archive_.directory(member);
		}
		unknown_++;
	}

	std::string text(const Entry &entry)
	{
		std::string target;
		if (entry.size > max_link_size)
			throw CorruptError("the symbolic link " + quote(entry.path) + " has a text of " +
				std::to_string(entry.size) + " bytes");
		pipeline_.read(entry, {0, entry.size}, [&](Bytes bytes) { target += text_of(bytes); });
		return target;
	}

	void put_file(const TarWriter::Member &member, const Entry &entry)
	{
		std::uint64_t data = 0, pieces = 0, map = 0;
		if (entry.size >= least_holes)
			each_piece(entry, [&](std::uint64_t offset, std::uint64_t size) {
				data += size;
				pieces++;
				map += tar_map_number(offset).size() + tar_map_number(size).size();
			});
		if (entry.size < least_holes || entry.size - data < least_holes) {
			archive_.begin_file(member, entry.size);
			put_content(entry, {0, entry.size});
		} else {
			map += tar_map_number(pieces).size();
			archive_.begin_sparse_file(member, entry.size, whole_tar_blocks(map) + data);
			put_map(entry, pieces, map);
			each_piece(entry, [&](std::uint64_t offset, std::uint64_t size) { put_content(entry, {offset, size}); });
		}
		archive_.end_file();
		work_.files.add();
		work_.cache_hits.set(store_.cache().hits());
		work_.cache_misses.set(store_.cache().misses());
	}

	void put_content(const Entry &entry, const ByteRange::Extent &extent)
	{
		if (extent.size > 0)
			pipeline_.read(entry, extent, [&](Bytes bytes) { archive_.content(bytes); });
	}

	void put_map(const Entry &entry, std::uint64_t pieces, std::uint64_t size)
	{
		std::string text = tar_map_number(pieces);
		each_piece(entry, [&](std::uint64_t offset, std::uint64_t length) {
			text += tar_map_number(offset) + tar_map_number(length);
			if (text.size() >= 64_KiB) {
				archive_.content(bytes_of(text));
				text.clear();
			}
		});
		archive_.content(bytes_of(text));
		archive_.content(zero_bytes(whole_tar_blocks(size) - size));
	}

	// The parts between holes.  They begin and end with blocks, since GNU tar reads each from whole ones.
	// Behind a hole at the end there is an empty one, as GNU tar has it.
	template <typename Function> void each_piece(const Entry &entry, const Function &take)
	{
		ChunkSequence sequence(store_, entry, {0, entry.size});
		std::uint64_t begin = 0, end = 0; // of the part
		while (const std::optional<ContentChunk> chunk = sequence.next()) {
			check_interrupted();
			if (!zeros_.has(*chunk)) {
				end = chunk->offset + chunk->size;
				continue;
			}
			// Chunks of zeros are larger than two blocks.
			const std::uint64_t hole = whole_tar_blocks(chunk->offset);
			const std::uint64_t hole_end = chunk->offset + chunk->size * (1 + sequence.pass_repeats(*chunk));
			if (hole > begin)
				take(begin, hole - begin);
			begin = end = hole_end == entry.size ? hole_end : hole_end / tar_block_size * tar_block_size;
		}
		if (end > begin || begin == entry.size)
			take(begin, end - begin);
	}

	Store &store_;
	const TarExportOptions &options_;
	Work &work_;
	ReadPipeline pipeline_;
	const ZeroChunks zeros_;
	TarWriter archive_;
	Work::Totals totals_;
	std::uint64_t unknown_ = 0;
};

std::uint64_t export_tar(Store &store, const TreeRoot &manifest, const TarExportOptions &options,
	const std::function<void(Bytes)> &write)
{
	const Selection selection(store, manifest, options.paths, options.state);
	TarExport tar(store, options, write);
	tar.check(selection);
	tar.write(selection);
	return tar.unknown_count();
}

} // namespace dig
