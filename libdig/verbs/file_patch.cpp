#include "libdig/verbs/file_patch.h"

#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/base/zeros.h"
#include "libdig/format/record_sorter.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/file_copy.h"
#include "libdig/os/publish.h"
#include "libdig/os/workers.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/near_paths.h"

namespace dig {

// Of ranges in memory; more are in a file.
constexpr std::size_t ranges_memory = 4_MiB;
constexpr std::size_t window_size = 256_KiB;
// Zeros that fill a block of this size in a file become a hole.
constexpr std::size_t hole_block = 16_KiB;

StatedFile::StatedFile(Store &store, const std::string &state, const std::string &typed)
{
	const std::string path = normalised_path(typed, "", "/");
	const TreeRoot manifest = store.manifest(store.resolve(state).generation);
	const std::optional<Entry> found = find_entry(manifest, path, store.nodes());
	if (!found)
		throw Error(quote(path) + " is not in " + state + did_you_mean_path(manifest, store.nodes(), path));
	shown = quote(path) + " of " + state;
	entry = *found;
}

void diff_files(Store &store, const Entry &before, const Entry &after,
	const std::function<void(const ChangedRange &)> &found)
{
	// Files of one chunk have no node of their own.
	const NodeSource nodes = [&](const Digest &id) {
		for (const Entry *entry : {&before, &after})
			if (entry->form == ContentForm::chunk && entry->file_root() == id)
				return single_chunk_node(entry->content, entry->size);
		return store.read_item(ItemKind::node, id);
	};
	const ChunkContent chunks = [&](const Digest &id) -> std::optional<Buffer> {
		try {
			return store.find_item_anywhere(ItemKind::chunk, id);
		} catch (const CorruptError &) {
			return {};
		}
	};
	diff_chunk_lists(content_root(before), content_root(after), {nodes, chunks}, store.chunking(), found);
}

namespace {

struct KeptRange {
	ChangedRange range;
	bool operator<(const KeptRange &other) const { return range.new_offset < other.range.new_offset; }
};
using KeptRanges = RecordSorter<KeptRange>;

// Compares a file with a chunk list, by several threads.
class Comparison {
public:
	// Chunks that a range covers are not compared.
	Comparison(Store &store, const Entry &entry, const File &file, KeptRanges::Records covered, Work &work)
		: store_(store), file_(file), work_(work), sequence_(store, entry, {0, entry.size}),
		  covered_(std::move(covered)), file_size_(file.size())
	{
		next_range();
	}

	// Where the first chunk begins that the file does not have.
	std::optional<std::uint64_t> first_difference()
	{
		const Workers::Job job = [this] { compare(); };
		workers_.start(worker_threads(store_.settings()) - 1, job);
		workers_.run(job);
		workers_.join();
		return difference_;
	}

private:
	struct Unit {
		ContentChunk chunk;
		bool is_zeros;
	};

	void next_range() { range_ = covered_ ? covered_() : std::nullopt; }

	bool is_covered(const ContentChunk &chunk)
	{
		while (range_ && range_->range.new_offset + range_->range.new_size <= chunk.offset)
			next_range();
		return range_ && range_->range.new_offset < chunk.offset + chunk.size;
	}

	std::optional<Unit> claim()
	{
		std::lock_guard guard(mutex_);
		// What lies behind the first difference does not matter.
		while (!difference_ && !workers_.is_stopped()) {
			check_interrupted();
			const std::optional<ContentChunk> chunk = sequence_.next();
			if (!chunk)
				break;
			const bool is_repeated = chunk->id == last_;
			last_ = chunk->id;
			if (!is_covered(*chunk))
				return Unit{*chunk, is_repeated && chunk->id == zero_digest(chunk->size)};
			work_.bytes.add(chunk->size);
		}
		return {};
	}

	void compare()
	{
		Buffer window(window_size);
		while (const std::optional<Unit> unit = claim()) {
			if (!has(*unit, window)) {
				std::lock_guard guard(mutex_);
				difference_ = std::min(difference_.value_or(unit->chunk.offset), unit->chunk.offset);
			}
			work_.bytes.add(unit->chunk.size);
		}
	}

	bool has(const Unit &unit, MutableBytes window) const
	{
		const ContentChunk &chunk = unit.chunk;
		if (chunk.offset > file_size_ || chunk.size > file_size_ - chunk.offset)
			return false;
		if (unit.is_zeros && file_.next_data(chunk.offset, file_size_) >= chunk.offset + chunk.size)
			return true;
		Hasher hasher;
		for (std::uint64_t done = 0; done < chunk.size;) {
			const MutableBytes bytes = window.first(std::min<std::uint64_t>(window.size(), chunk.size - done));
			if (file_.read_at(bytes, chunk.offset + done) < bytes.size())
				return false;
			hasher.update(bytes);
			done += bytes.size();
		}
		return hasher.finish() == chunk.id;
	}

	Store &store_;
	const File &file_;
	Work &work_;
	std::mutex mutex_;
	ChunkSequence sequence_;
	KeptRanges::Records covered_;
	std::optional<KeptRange> range_;
	Digest last_;
	std::uint64_t file_size_;
	std::optional<std::uint64_t> difference_;
	Workers workers_;
};

class Patch {
public:
	Patch(Store &store, const StatedFile &before, const StatedFile &after, std::string path,
		const PatchOptions &options)
		: store_(store), before_(before), after_(after), path_(std::move(path)), options_(options),
		  work_(*options.work), pipeline_(store, work_), ranges_(temporary_directory(), ranges_memory)
	{
		diff_files(store, before.entry, after.entry, [this](const ChangedRange &range) {
			ranges_.put({range});
			written_ += range.new_size;
		});
	}

	bool write_in_place()
	{
		const File file = File::open_with(path_, O_RDWR);
		if (!check(file))
			return false;
		work_.begin_stage("write", {.bytes = written_});
		write_ranges(nullptr, file);
		file.truncate(after_.entry.size);
		verify(file, "; it is written in part, and --resume goes on with it");
		file.sync_data();
		return true;
	}

	bool write_beside()
	{
		const File old = File::open(path_);
		if (!check(old))
			return false;
		work_.begin_stage("write", {.bytes = written_});
		const FileStat stat = old.stat();
		PublishedFile target(path_);
		// Before there is anything in it that the mode hides.
		target.file().keep_owner(stat);
		target.file().set_mode(stat.mode & 0777);
		const bool is_shared = share_content(old, target.file());
		target.file().truncate(after_.entry.size);
		if (!is_shared)
			copy_rest(old, target.file());
		write_ranges(&old, target.file());
		verify(target.file(), "; it was changed meanwhile, or storage fails; nothing is replaced");
		target.publish();
		return true;
	}

private:
	std::optional<std::uint64_t> difference(const Entry &entry, const File &file, KeptRanges::Records covered = {})
	{
		return Comparison(store_, entry, file, std::move(covered), work_).first_difference();
	}

	bool has_content(const Entry &entry, const File &file)
	{
		return file.size() == entry.size && !difference(entry, file);
	}

	// False if the new content is there already.
	bool check(const File &file)
	{
		work_.begin_stage("check", {.bytes = before_.entry.size});
		if (options_.resume) {
			if (const auto offset = difference(after_.entry, file, ranges_.sorted()))
				throw wrong_file(*offset, "; no range covers this byte, so that nothing is written");
			return true;
		}
		std::optional<std::uint64_t> offset = difference(before_.entry, file);
		if (!offset && file.size() != before_.entry.size)
			offset = before_.entry.size;
		if (!offset)
			return written_ > 0 || before_.entry.size != after_.entry.size;
		if (has_content(after_.entry, file))
			return false;
		throw wrong_file(*offset, options_.in_place
				? "; nothing is written; --resume goes on with a file that was written in part"
				: "; nothing is written");
	}

	Error wrong_file(std::uint64_t offset, const std::string &remark) const
	{
		return Error(quote(path_) + " does not have the content of " + before_.shown + ", at byte " +
			std::to_string(offset) + " or behind it" + remark, exit_status::unproved);
	}

	void verify(const File &file, const std::string &remark)
	{
		work_.begin_stage("verify", {.bytes = after_.entry.size});
		if (!has_content(after_.entry, file))
			throw Error(quote(path_) + " did not become " + after_.shown + remark, exit_status::unproved);
	}

	// What no range covers.
	void copy_rest(const File &from, const File &to)
	{
		const std::uint64_t end = std::min(before_.entry.size, after_.entry.size);
		std::uint64_t at = 0;
		const auto copy_until = [&](std::uint64_t stop) {
			if (at < std::min(stop, end))
				copy_range(from, at, std::min(stop, end) - at, to, at);
		};
		const KeptRanges::Records next = ranges_.sorted();
		while (const std::optional<KeptRange> kept = next()) {
			copy_until(kept->range.new_offset);
			at = kept->range.new_offset + kept->range.new_size;
		}
		copy_until(end);
	}

	void write_ranges(const File *old, const File &to)
	{
		const KeptRanges::Records next = ranges_.sorted();
		while (const std::optional<KeptRange> kept = next()) {
			const ChangedRange &range = kept->range;
			if (old && range.kind == ChangedRange::Kind::moved) {
				copy_range(*old, range.offset, range.size, to, range.new_offset);
				work_.bytes.add(range.size);
			} else {
				write_content({range.new_offset, range.new_size}, to);
			}
		}
	}

	// From the store.  A long hole takes no time.
	void write_content(const ByteRange::Extent &extent, const File &to)
	{
		ChunkSequence sequence(store_, after_.entry, extent);
		ByteRange::Extent data{extent.offset, 0};
		while (const std::optional<ContentChunk> chunk = sequence.next()) {
			const std::uint64_t repeats = sequence.pass_repeats(*chunk);
			const std::uint64_t end =
				std::min(chunk->offset + chunk->size * (repeats + 1), extent.offset + extent.size);
			if (repeats > 0 && chunk->id == zero_digest(chunk->size)) {
				write_data(data, to);
				const std::uint64_t begin = std::max(chunk->offset, extent.offset);
				to.clear(begin, end - begin);
				work_.bytes.add(end - begin);
				data = {end, 0};
			} else {
				data.size = end - data.offset;
			}
		}
		write_data(data, to);
	}

	void write_data(const ByteRange::Extent &extent, const File &to)
	{
		std::uint64_t at = extent.offset;
		pipeline_.read(after_.entry, extent, [&](Bytes bytes) {
			write_sparsely(bytes, to, at);
			at += bytes.size();
		});
	}

	// Blocks of zeros become holes.
	static void write_sparsely(Bytes bytes, const File &to, std::uint64_t at)
	{
		for (std::size_t begin = 0, end = 0; begin < bytes.size(); begin = end) {
			const bool is_hole = is_zero(block_at(bytes, at, begin));
			for (; end < bytes.size() && is_zero(block_at(bytes, at, end)) == is_hole;)
				end += block_at(bytes, at, end).size();
			if (is_hole)
				to.clear(at + begin, end - begin);
			else
				to.write_at(bytes.subspan(begin, end - begin), at + begin);
		}
	}

	// Up to the next multiple of the block size in the file.
	static Bytes block_at(Bytes bytes, std::uint64_t offset, std::size_t begin)
	{
		const std::size_t size = hole_block - (offset + begin) % hole_block;
		return bytes.subspan(begin, std::min(size, bytes.size() - begin));
	}

	Store &store_;
	const StatedFile &before_, &after_;
	std::string path_;
	const PatchOptions &options_;
	Work &work_;
	ReadPipeline pipeline_;
	KeptRanges ranges_;
	std::uint64_t written_ = 0;
};

} // namespace

bool patch_file(Store &store, const StatedFile &before, const StatedFile &after, const std::string &file,
	const PatchOptions &options)
{
	const std::string path = resolved_path(file);
	const std::optional<FileStat> stat = find_stat(path);
	if (!stat || stat->type != FileType::regular)
		throw Error(quote(file) + " is not a regular file");
	Patch patch(store, before, after, path, options);
	return options.in_place ? patch.write_in_place() : patch.write_beside();
}

} // namespace dig
