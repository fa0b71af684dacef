#include "libdig/verbs/checkout.h"

#include <algorithm>
#include <cerrno>

#include "libdig/base/path.h"
#include "libdig/ingest/ingest.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/selection.h"
#include "libdig/verbs/unit_writers.h"
#include "libdig/verbs/zero_chunks.h"

// A state can have a million entries, one file of a terabyte, or both, and memory is bounded.
//
// Manifests are sorted by the bytes of whole paths.  So everything below a directory is contiguous,
// and a walk remembers only the directories that it is in (directory_stack).  The manifest is walked
// three times: to check, for files, and for what has to come last.  Between the walks one bit an entry
// says what the check found.  A list of entries would be simpler, and 100 MB for a million of them.
//
// The check comes first and alone, because an extraction that finds something in its way at the last
// entry should not have replaced all others.  It cannot see what comes later: somebody else may write
// into the destination meanwhile.  So every step that makes something refuses to take what is there
// (O_EXCL), and an entry that cannot be written fails by itself.
//
// In the second walk the planner makes directories and cuts the work into units of some MiB: the chunks
// of many small files, or some chunks of a large one.  Threads write the units (unit_writers).
//
// Several threads write one large file, and the last of them completes it.  The planner counts as one
// of its users until its last unit is on its way.  A small file belongs to one unit.
//
// Symlinks come last: while files are written there is no symlink of ours that a path could lead
// through.  Empty directories come with them, because they get their mode and time at once.
//
// A crash leaves temporary files named .dig-tmp-*, and small new files that were just being written
// may be cut short.  The same extraction with -f writes them again.  A file that is changed in place is
// left half the old and half the new one.

namespace dig {

// In all units that wait or are written, with those of each thread: some hundred bytes each.
constexpr std::size_t files_under_way = 16384, chunks_under_way = 65536;
constexpr std::size_t least_unit_files = 32, max_unit_files = 512;
// A small file that was cut here has fewer chunks.
constexpr std::size_t max_file_chunks = 1024, max_unit_chunks = 4096;
// Each of these waits for the disk.  Of more directories, all of the file system is synced at once.
constexpr std::size_t most_synced_alone = 1000;

// Cuts files into units.
class Planner {
public:
	Planner(Store &store, UnitWriters &writers)
		: store_(store), writers_(writers),
		  unit_files_(std::clamp(files_under_way / writers.most_units(), least_unit_files, max_unit_files)),
		  unit_chunks_(std::clamp(chunks_under_way / writers.most_units(), max_file_chunks, max_unit_chunks)),
		  zeros_(store.chunking())
	{
	}

	void add(const TargetPointer &target)
	{
		try {
			if (target->entry().size <= small_file && !target->is_device())
				add_small(target);
			else
				add_large(target);
		} catch (const CorruptError &error) {
			// Of its chunk list.
			target->fail(error.what(), error.status());
			writers_.release(target);
		} catch (const SystemError &error) {
			target->fail_unwritable(error);
			writers_.release(target);
		}
	}

	// After the last file.
	void flush()
	{
		if (!unit_.shares.empty())
			writers_.push(std::exchange(unit_, Unit()));
	}

private:
	void add_small(const TargetPointer &target)
	{
		const Entry &entry = target->entry();
		ChunkSequence sequence(store_, entry, {0, entry.size});
		small_.clear();
		while (const std::optional<ContentChunk> chunk = sequence.next()) {
			if (small_.size() == max_file_chunks) {
				add_large(target);
				return;
			}
			small_.push_back(*chunk);
		}
		if (unit_.size + entry.size > writers_.unit_size() || unit_.shares.size() >= unit_files_ ||
			unit_.chunks.size() + small_.size() > unit_chunks_)
			flush();
		unit_.shares.push_back({target, unit_.chunks.size(), small_.size()});
		for (const ContentChunk &chunk : small_)
			unit_.add(chunk);
	}

	void add_large(const TargetPointer &target)
	{
		const Entry &entry = target->entry();
		ChunkSequence sequence(store_, entry, {0, entry.size});
		target->open_large();
		Unit unit;
		const auto pass_on = [&] {
			if (unit.chunks.empty())
				return;
			unit.shares.push_back({target, 0, unit.chunks.size()});
			target->add_user();
			writers_.push(std::exchange(unit, Unit()));
		};
		while (!target->has_failed()) {
			check_interrupted();
			const std::optional<ContentChunk> chunk = sequence.next();
			if (!chunk)
				break;
			// Only of zeros: nothing else is repeated often.
			const std::uint64_t repeats = zeros_.has(*chunk) ? 1 + sequence.pass_repeats(*chunk) : 1;
			for (std::uint64_t i = pass_present(*target, *chunk, repeats); i < repeats; i++) {
				ContentChunk each = *chunk;
				each.offset += i * chunk->size;
				if (unit.size + chunk->size > writers_.unit_size() || unit.chunks.size() >= unit_chunks_)
					pass_on();
				unit.add(each);
			}
		}
		pass_on();
		writers_.release(target);
	}

	// How many of so many equal chunks need not be written: those that are there, and those of zeros
	// where a hole is enough.
	std::uint64_t pass_present(Target &target, const ContentChunk &chunk, std::uint64_t repeats)
	{
		std::uint64_t done = 0;
		if (OldContent *old = target.old(); old && old->is_known())
			done = old->known_count(chunk, repeats);
		if (done < repeats && zeros_.has(chunk) &&
			target.punch_hole(chunk.offset + done * chunk.size, (repeats - done) * chunk.size))
			done = repeats;
		writers_.count(chunk, done);
		return done;
	}

	Store &store_;
	UnitWriters &writers_;
	const std::size_t unit_files_, unit_chunks_;
	const ZeroChunks zeros_;
	Unit unit_; // of small files
	std::vector<ContentChunk> small_;
};

class Extraction {
public:
	Extraction(Store &store, const Selection &selection, const CheckoutOptions &options)
		: store_(store), selection_(selection), work_(*options.work), obstacles_(options), tally_(options),
		  targets_(store, options, tally_), pipeline_(store)
	{
	}

	// Walks through all entries without writing.  root is null when it is missing.
	void check(const DirectoryPointer &root)
	{
		work_.begin_stage("check");
		DirectoryStack stack(root, DirectoryStack::Missing::look);
		ConflictCheck conflicts;
		selection_.walk([&](const Entry &entry) {
			if (const std::string_view problem = path_problem(entry.path); !problem.empty())
				throw CorruptError("the state has the path " + quote(entry.path) +
					", which is not allowed: " + std::string(problem));
			conflicts.add(entry);
			obstacles_.add(stack, entry);
			work_.seen.add();
			if (entry.kind == EntryKind::file) {
				totals_.files++;
				totals_.bytes += entry.size;
			}
			has_others_ |= entry.kind != EntryKind::file;
		});
	}

	void write_files(const DirectoryPointer &root)
	{
		if (totals_.files == 0)
			return;
		work_.begin_stage("write", totals_);
		are_directories_made_ = true;
		UnitWriters writers(store_, tally_, work_);
		writers.run([&] { plan_all(root, writers); });
		// The signal may have come with the last write.
		check_interrupted();
	}

	// Symlinks, empty directories, and what is not known.
	void write_others(const DirectoryPointer &root)
	{
		work_.begin_stage("finish");
		if (!has_others_)
			return;
		DirectoryStack stack = making_stack(root, !are_directories_made_);
		std::size_t number = 0;
		selection_.walk([&](const Entry &entry) {
			const bool exists = obstacles_.exists(number++);
			if (entry.kind != EntryKind::file)
				write_other(stack, entry, exists);
		});
	}

	void sync_directories(const DirectoryPointer &root) const
	{
		sync(root->file);
		DirectoryStack stack(root, DirectoryStack::Missing::look,
			[this](const std::string &, const SystemError &) {
				// What could not be entered was told of.
				if (!tally_.has_failures())
					throw;
			});
		std::string before;
		std::size_t synced = 0;
		selection_.walk([&](const Entry &entry) {
			if (synced > most_synced_alone)
				return;
			const std::string_view path =
				entry.kind == EntryKind::empty_directory ? entry.path : parent_of(entry.path);
			synced += sync_new(stack, path, before);
			before = path;
		});
		if (synced > most_synced_alone)
			root->file.sync_file_system();
	}

	CheckoutResult result() const { return tally_.result(); }

private:
	DirectoryStack making_stack(const DirectoryPointer &root, bool tells)
	{
		return DirectoryStack(root, DirectoryStack::Missing::make,
			[this, tells](const std::string &path, const SystemError &error) {
				if (tells)
					tally_.add_failure({path, std::string(error.what()) + "; nor is what belongs below it",
						exit_status::partial});
			});
	}

	void plan_all(const DirectoryPointer &root, UnitWriters &writers)
	{
		Planner planner(store_, writers);
		DirectoryStack stack = making_stack(root, true);
		std::size_t number = 0;
		selection_.walk([&](const Entry &entry) {
			const std::size_t own_number = number++;
			if (!entry.is_known_kind())
				return;
			const DirectoryPointer parent = stack.enter(parent_of(entry.path));
			if (!parent || entry.kind != EntryKind::file)
				return;
			const Target::Spot spot{parent, obstacles_.exists(own_number), obstacles_.is_device(own_number)};
			planner.add(std::make_shared<Target>(targets_, entry, spot));
		});
		planner.flush();
	}

	void write_other(DirectoryStack &stack, const Entry &entry, bool exists)
	{
		if (!entry.is_known_kind()) {
			tally_.add_failure({entry.path, "it is of a kind that this dig does not know", exit_status::partial});
			return;
		}
		const DirectoryPointer parent = stack.enter(parent_of(entry.path));
		if (!parent)
			return;
		try {
			if (entry.kind != EntryKind::symlink)
				write_directory(targets_, entry, parent->file, exists);
			else if (const std::optional<std::string> text = read_text(entry))
				write_symlink(targets_, entry, parent->file, *text, exists);
		} catch (const SystemError &error) {
			tally_.add_unwritable(entry.path, error);
		}
	}

	// Of a symlink; nothing when it is told of as a failure.
	std::optional<std::string> read_text(const Entry &entry)
	{
		try {
			if (entry.size == 0 || entry.size > max_link_size)
				throw Error("no symlink can have a text of " + std::to_string(entry.size) + " bytes");
			std::string text;
			pipeline_.read(entry, {0, entry.size}, [&](Bytes bytes) { text += text_of(bytes); });
			if (text.find('\0') != text.npos)
				throw Error("no symlink can have a text with a NUL byte");
			return text;
		} catch (const Error &error) {
			if (error.status() == exit_status::interrupted)
				throw;
			tally_.add_failure({entry.path, error.what(), error.status()});
			return {};
		}
	}

	// Syncs each directory of the path that the path before does not lie in; how many these are.
	std::size_t sync_new(DirectoryStack &stack, std::string_view path, std::string_view before) const
	{
		std::size_t synced = 0;
		const std::size_t common =
			static_cast<std::size_t>(std::ranges::mismatch(path, before).in1 - path.begin());
		for (std::size_t end = 0; end < path.size();) {
			end = std::min(path.find('/', end + 1), path.size());
			if (end <= common && (end == before.size() || before[end] == '/'))
				continue;
			const DirectoryPointer directory = stack.enter(path.substr(0, end));
			if (!directory)
				break;
			sync(directory->file);
			synced++;
		}
		return synced;
	}

	void sync(const File &directory) const
	{
		try {
			open_directory_at(directory.fd(), ".").sync_all();
		} catch (const SystemError &error) {
			// Some network file systems cannot, and there is nothing more to be had.  A directory
			// that could not be entered is among the failures.
			const bool is_blocked = tally_.has_failures() && is_of_one_entry(error.error());
			if (error.error() != EINVAL && error.error() != ENOTSUP && !is_blocked)
				throw;
		}
	}

	Store &store_;
	const Selection &selection_;
	Work &work_;
	Obstacles obstacles_;
	CheckoutTally tally_;
	TargetPlan targets_;
	ReadPipeline pipeline_; // for the texts of symlinks
	bool has_others_ = false;
	bool are_directories_made_ = false; // and those that cannot be are told of
	Work::Totals totals_;
};

static DirectoryPointer open_destination(const std::string &path)
{
	auto directory = std::make_shared<Directory>();
	directory->file = File::open_with(path, O_RDONLY | O_DIRECTORY);
	return directory;
}

// Returns the directories that have a new one in them.
static std::vector<std::string> make_destination(const std::string &path)
{
	std::vector<std::string> changed;
	const std::string above = directory_of(path);
	if (!find_stat(above))
		changed = make_destination(above);
	make_directory(path);
	changed.push_back(above);
	return changed;
}

CheckoutResult checkout(Store &store, const TreeRoot &manifest, const std::vector<std::string> &paths,
	const std::string &destination, const CheckoutOptions &options)
{
	raise_file_limit();
	const Selection selection(store, manifest, paths, options.state);
	Extraction extraction(store, selection, options);
	const bool was_there = find_stat(destination).has_value();
	DirectoryPointer root = was_there ? open_destination(destination) : nullptr;
	extraction.check(root);
	std::vector<std::string> changed;
	if (!was_there) {
		changed = make_destination(destination);
		root = open_destination(destination);
	}
	extraction.write_files(root);
	extraction.write_others(root);
	if (options.sync) {
		extraction.sync_directories(root);
		for (const std::string &above : changed)
			sync_directory(above);
	}
	return extraction.result();
}

} // namespace dig
