#include "libdig/verbs/checkout.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <unordered_set>

#include "libdig/base/path.h"
#include "libdig/base/trace.h"
#include "libdig/base/zeros.h"
#include "libdig/ingest/ingest.h"
#include "libdig/os/beneath.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/directory_stack.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/old_content.h"

// The order of things.  Manifests are sorted by the bytes of whole paths, so that everything below
// a directory is contiguous, and a walk needs to remember only the directories that it is in.  The
// manifest is walked once to check, once for files, and once for what has to come last; between
// the walks one bit an entry says what the check found.
//
// In the second walk one thread, the planner, makes directories and cuts the work into units of
// some MiB: many small files, or part of a large one.  Workers take units; the planner works
// off one itself where it would have to wait.

namespace dig {

constexpr std::size_t max_unit_files = 512;
// Content up to this size is written by one worker at once, if it has no more chunks than any that
// was cut here.
constexpr std::uint64_t small_file = 1_MiB;
constexpr std::size_t max_file_chunks = 1024, max_unit_chunks = 4096;
// So large files would push everything else out of the page cache.
constexpr std::uint64_t uncached_file = 64_MiB;
// Each of these waits for the disk.  Of more directories, all of the file system is synced at once.
constexpr std::size_t most_synced_alone = 1000;
constexpr std::uint64_t least_hole = 64_KiB;
// Units follow the order in which small files were stored, so that two of them share at most the
// block between them; the store's own cache would only grow.
constexpr std::size_t shared_blocks = 4_MiB;

// --- which entries --------------------------------------------------------------------------

using EachEntry = std::function<void(const Entry &)>;

// Without paths below other ones, in order.
static std::vector<std::string> selection_of(std::vector<std::string> paths)
{
	std::sort(paths.begin(), paths.end());
	std::vector<std::string> kept;
	for (std::string &path : paths) {
		const bool is_covered = std::any_of(kept.begin(), kept.end(),
			[&](const std::string &above) { return is_within(path, above); });
		if (!is_covered)
			kept.push_back(std::move(path));
	}
	if (kept.empty())
		kept.emplace_back();
	return kept;
}

class Selection {
public:
	Selection(Store &store, const TreeRoot &manifest, std::vector<std::string> paths, const std::string &state)
		: store_(store), manifest_(manifest), paths_(selection_of(std::move(paths))), state_(state)
	{
	}

	// Error when one of the paths leads to nothing.
	void walk(const EachEntry &each) const
	{
		for (const std::string &path : paths_) {
			TreeCursor cursor(TreeKind::manifest, manifest_, store_.nodes());
			bool has_any = path.empty();
			std::string before;
			const auto pass = [&](std::string_view from) {
				for (cursor.seek(from); !cursor.at_end(); cursor.skip()) {
					cursor.settle();
					if (cursor.at_end() || !is_within(cursor.path(), path))
						break;
					check_interrupted();
					const Entry entry = cursor.entry();
					if (entry.path <= before)
						throw CorruptError("the manifest " + to_hex(manifest_.id) +
							" is not in order at " + quote(entry.path));
					each(entry);
					before = entry.path;
					has_any = true;
				}
			};
			pass(path);
			// "a-b" lies between "a" and "a/b".
			if (!path.empty() && !cursor.at_end())
				pass(path + "/");
			if (!has_any)
				throw Error(quote(path) + " is not in " + state_ +
					did_you_mean_path(manifest_, store_.nodes(), path));
		}
	}

private:
	Store &store_;
	TreeRoot manifest_;
	std::vector<std::string> paths_;
	std::string state_;
};

// Finds entries that lie below a file or a symlink, as only a forged manifest has them.
class ConflictCheck {
public:
	void add(const Entry &entry)
	{
		const std::string &path = entry.path;
		// What may still come below an entry begins with its path, and so does all between.
		const std::size_t common = static_cast<std::size_t>(
			std::mismatch(path.begin(), path.end(), last_.begin(), last_.end()).first - path.begin());
		while (!above_.empty() && above_.back() > common)
			above_.pop_back();
		for (const std::size_t size : above_)
			if (path[size] == '/')
				throw CorruptError("the state has " + quote(path.substr(0, size)) + " as a file and " +
					quote(path) + " below it");
		if (entry.kind != EntryKind::empty_directory)
			above_.push_back(path.size());
		last_ = path;
	}

private:
	std::string last_;
	std::vector<std::size_t> above_; // sizes of paths that last_ begins with, or is
};

// What the file system was asked to set and does not keep.
static bool is_unsupported(int error)
{
	return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == EROFS;
}

// --- files ----------------------------------------------------------------------------------

// A file that is being made.  What is not whole when it is dropped is removed.
struct Target {
	Entry entry;
	DirectoryPointer directory;
	bool replaces = false;
	bool is_device = false; // a block device that is written in place
	File file;
	std::string made_name; // of what is on disk and not whole
	std::optional<OldContent> old; // of file, when it is changed in place
	bool is_kept = false;          // file is what was there, changed in place or not at all
	std::atomic<std::uint64_t> pending{1}; // units, and the planner
	std::atomic<bool> has_failed{false};
	std::string failure;
	int status = exit_status::done;

	~Target()
	{
		if (made_name.empty())
			return;
		try {
			remove_at(directory->file, made_name, false);
		} catch (const Error &) {
			// Whatever ended this is worth more words.
		}
	}
};
using TargetPointer = std::shared_ptr<Target>;

// What a worker takes: the chunks of some files, or some chunks of one.
struct Unit {
	struct Share {
		TargetPointer target;
		std::size_t first, count; // of the chunks
	};
	std::vector<Share> shares;
	std::vector<WantedChunk> chunks;
	std::uint64_t size = 0;

	void add(const ContentChunk &chunk)
	{
		chunks.emplace_back().chunk = chunk;
		size += chunk.size;
	}
};

// Writes what is no hole, in calls as large as it gets.
class ContentWriter {
public:
	// In a file that is not new, zeros have to be written, too.
	ContentWriter(const File &file, bool is_new, bool keep_cached)
		: file_(file), is_new_(is_new), keep_cached_(keep_cached)
	{
	}

	void write(Bytes bytes, std::uint64_t offset)
	{
		// By windows that are aligned in the file, since only whole blocks of it can be holes.
		while (!bytes.empty()) {
			const std::size_t size = std::min<std::uint64_t>(bytes.size(), least_hole - offset % least_hole);
			const Bytes window = bytes.first(size);
			if (is_new_ && size == least_hole && is_zero(window))
				has_holes_ = true;
			else
				add(window, offset);
			bytes = bytes.subspan(size);
			offset += size;
		}
	}

	// True when there are holes.
	bool finish()
	{
		pass_on();
		return has_holes_;
	}

private:
	void add(Bytes bytes, std::uint64_t offset)
	{
		if (offset != end_)
			pass_on();
		if (pieces_.empty())
			start_ = offset;
		end_ = offset + bytes.size();
		if (!pieces_.empty()) {
			iovec &last = pieces_.back();
			if (static_cast<std::uint8_t *>(last.iov_base) + last.iov_len == bytes.data()) {
				last.iov_len += bytes.size();
				return;
			}
		}
		pieces_.push_back({const_cast<std::uint8_t *>(bytes.data()), bytes.size()});
	}

	void pass_on()
	{
		file_.write_pieces_at(pieces_, start_, keep_cached_);
		pieces_.clear();
	}

	const File &file_;
	bool is_new_, keep_cached_, has_holes_ = false;
	std::vector<iovec> pieces_;
	std::uint64_t start_ = 0, end_ = 0;
};

class Extraction {
public:
	Extraction(Store &store, const Selection &selection, const CheckoutOptions &options)
		: store_(store), selection_(selection), options_(options),
		  counts_(*options.work), plan_(store.settings()), memory_(plan_.memory),
		  temporary_prefix_(".dig-tmp-" + to_hex(random_digest()).substr(0, 16) + "-"),
		  reader_(store, blocks_, counts_), pipeline_(store)
	{
		const ChunkingParameters &chunking = store.chunking();
		for (std::uint64_t offset : {std::uint64_t(0), chunking.small_file_threshold,
			     chunking.medium_file_threshold, chunking.huge_file_threshold})
			zero_sizes_.push_back(limits_for_target(chunking.target_at(offset)).maximum);
	}

	// Walks through all entries without writing.  root is null when it is missing.
	void check(const DirectoryPointer &root)
	{
		counts_.begin_stage("check");
		DirectoryStack stack(root, DirectoryStack::Missing::look);
		ConflictCheck conflicts;
		selection_.walk([&](const Entry &entry) {
			if (const std::string_view problem = path_problem(entry.path); !problem.empty())
				throw CorruptError("the state has the path " + quote(entry.path) +
					", which is not allowed: " + std::string(problem));
			conflicts.add(entry);
			exists_.push_back(check_target(stack, entry));
			counts_.seen.add();
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
		counts_.begin_stage("write", totals_);
		reader_.clock().lap(Step::walk);
		are_directories_made_ = true;
		workers_.run([&] {
			plan_all(root);
			finish();
		});
		if (workers_.size() > 0)
			counts_.workers.set(workers_.size() + 1);
		workers_.join();
		// The signal may have come with the last write.
		check_interrupted();
	}

	// Symlinks, empty directories, and what is not known.
	void write_others(const DirectoryPointer &root)
	{
		counts_.begin_stage("finish");
		if (!has_others_)
			return;
		DirectoryStack stack = making_stack(root, !are_directories_made_);
		std::size_t number = 0;
		selection_.walk([&](const Entry &entry) {
			const bool exists = exists_[number++];
			if (entry.kind == EntryKind::file)
				return;
			if (!entry.is_known_kind()) {
				add_failure({entry.path, "it is of a kind that this dig does not know", exit_status::partial});
				return;
			}
			const DirectoryPointer parent = stack.enter(parent_of(entry.path));
			if (!parent)
				return;
			try {
				if (entry.kind == EntryKind::symlink)
					write_symlink(entry, parent->file, exists);
				else
					write_directory(entry, parent->file, exists);
			} catch (const SystemError &error) {
				add_unwritable(entry.path, error);
			}
		});
	}

	void sync_directories(const DirectoryPointer &root) const
	{
		sync(root->file);
		DirectoryStack stack(root, DirectoryStack::Missing::look,
			[this](const std::string &, const SystemError &) {
				// What could not be entered was told of.
				if (result_.failures == 0)
					throw;
			});
		std::string before;
		std::size_t synced = 0;
		selection_.walk([&](const Entry &entry) {
			if (synced > most_synced_alone)
				return;
			std::string_view path = parent_of(entry.path);
			if (entry.kind == EntryKind::empty_directory)
				path = entry.path;
			// Each directory between what the entry before and this one have in common and
			// this one is new.
			const std::size_t common = static_cast<std::size_t>(
				std::mismatch(path.begin(), path.end(), before.begin(), before.end()).first - path.begin());
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
			before = path;
		});
		if (synced > most_synced_alone)
			root->file.sync_file_system();
	}

	CheckoutResult take_result()
	{
		counts_.cache_hits.set(blocks_.hits());
		counts_.cache_misses.set(blocks_.misses());
		result_.files = files_;
		result_.bytes = bytes_;
		return std::move(result_);
	}

private:
	// --- checking -----------------------------------------------------------------------

	// Whether the entry replaces, or is, something that exists.
	bool check_target(DirectoryStack &stack, const Entry &entry)
	{
		if (!entry.is_known_kind())
			return false;
		const DirectoryPointer parent = stack.enter(parent_of(entry.path));
		if (!parent)
			return false;
		const std::optional<FileStat> stat = find_present(parent->file, entry);
		if (!stat)
			return false;
		const bool is_directory = stat->type == FileType::directory;
		if (entry.kind == EntryKind::empty_directory) {
			if (!is_directory)
				fail_in_the_way(entry.path);
			return true;
		}
		if (is_directory)
			throw Error(quote(entry.path) + " is a directory and stands in the way of a file");
		if (!options_.overwrite)
			throw Error(quote(entry.path) + " exists already; only -f replaces it");
		if (stat->type != FileType::regular && stat->type != FileType::symlink)
			check_special(entry, parent->file, stat->type);
		// A hard link has several names without any confusion.
		if (stat->links == 1 && !stack.is_new(*stat))
			fail_collision(entry.path);
		return true;
	}

	// What no one may look at counts as missing; to write there will fail by itself.
	static std::optional<FileStat> find_present(const File &parent, const Entry &entry)
	{
		try {
			return find_stat_at(parent.fd(), name_of(entry.path));
		} catch (const SystemError &error) {
			if (!is_of_one_entry(error.error()))
				throw;
			return {};
		}
	}

	// Devices, FIFOs and sockets are somebody's; a block device can be written in place.
	void check_special(const Entry &entry, const File &parent, FileType type)
	{
		if (options_.in_place && type == FileType::block_device && entry.kind == EntryKind::file) {
			open_device(entry, parent, O_RDONLY);
			devices_.insert(exists_.size());
			return;
		}
		if (!options_.replace_special)
			throw Error(quote(entry.path) + " is a device, a FIFO or a socket; only --replace-special "
				"replaces it, and --in-place writes a file into a block device");
	}

	// Opens a block device with room for the entry.  The kernel refuses one that is mounted or in
	// use otherwise (EBUSY).
	static File open_device(const Entry &entry, const File &parent, int access)
	{
		File file = open_beneath(parent, name_of(entry.path), access | O_EXCL | O_NONBLOCK);
		const std::uint64_t size = file.device_size().value_or(0);
		if (size < entry.size)
			throw Error("the device " + quote(entry.path) + " has " + std::to_string(size) +
				" bytes and is too small for " + std::to_string(entry.size));
		return File(file.release(), entry.path);
	}

	// --- planning -----------------------------------------------------------------------

	DirectoryStack making_stack(const DirectoryPointer &root, bool tells)
	{
		return DirectoryStack(root, DirectoryStack::Missing::make,
			[this, tells](const std::string &path, const SystemError &error) {
				if (tells)
					add_failure({path, std::string(error.what()) + "; nor is what belongs below it",
						exit_status::partial});
			});
	}

	void plan_all(const DirectoryPointer &root)
	{
		DirectoryStack stack = making_stack(root, true);
		std::size_t number = 0;
		selection_.walk([&](const Entry &entry) {
			const std::size_t own_number = number++;
			if (!entry.is_known_kind())
				return;
			const DirectoryPointer parent = stack.enter(parent_of(entry.path));
			if (!parent || entry.kind != EntryKind::file)
				return;
			const TargetPointer target = std::make_shared<Target>();
			target->entry = entry;
			target->directory = parent;
			target->replaces = exists_[own_number];
			target->is_device = devices_.contains(own_number);
			plan(target);
		});
		flush();
	}

	void plan(const TargetPointer &target)
	{
		try {
			if (target->entry.size <= small_file && !target->is_device)
				plan_small(target);
			else
				plan_large(target);
		} catch (const CorruptError &error) {
			// Of its chunk list.
			fail(*target, error.what(), error.status());
			release(target);
		} catch (const SystemError &error) {
			fail_unwritable(*target, error);
			release(target);
		}
	}

	void plan_small(const TargetPointer &target)
	{
		const Entry &entry = target->entry;
		ChunkSequence sequence(store_, entry, {0, entry.size});
		small_.clear();
		while (const std::optional<ContentChunk> chunk = sequence.next()) {
			if (small_.size() == max_file_chunks) {
				plan_large(target);
				return;
			}
			small_.push_back(*chunk);
		}
		if (unit_.size + entry.size > plan_.unit || unit_.shares.size() >= max_unit_files ||
			unit_.chunks.size() + small_.size() > max_unit_chunks)
			flush();
		unit_.shares.push_back({target, unit_.chunks.size(), small_.size()});
		for (const ContentChunk &chunk : small_)
			unit_.add(chunk);
	}

	void plan_large(const TargetPointer &target)
	{
		const Entry &entry = target->entry;
		ChunkSequence sequence(store_, entry, {0, entry.size});
		if (!keep(*target, O_RDWR))
			make(*target, true);
		if (!target->is_device)
			target->file.truncate(entry.size);
		Unit unit;
		const auto pass_on = [&] {
			if (unit.chunks.empty())
				return;
			unit.shares.push_back({target, 0, unit.chunks.size()});
			target->pending++;
			push(std::exchange(unit, Unit()));
		};
		while (!target->has_failed) {
			check_interrupted();
			const std::optional<ContentChunk> chunk = sequence.next();
			if (!chunk)
				break;
			// Only of zeros: nothing else is repeated often.
			const std::uint64_t repeats = is_zero_chunk(*chunk) ? 1 + sequence.pass_repeats(*chunk) : 1;
			for (std::uint64_t i = pass_present(*target, *chunk, repeats); i < repeats; i++) {
				ContentChunk each = *chunk;
				each.offset += i * chunk->size;
				if (unit.size + chunk->size > plan_.unit || unit.chunks.size() >= max_unit_chunks)
					pass_on();
				unit.add(each);
			}
		}
		pass_on();
		release(target);
	}

	// How many of so many equal chunks need not be written: those that are there, and those of zeros
	// where a hole is enough.
	std::uint64_t pass_present(Target &target, const ContentChunk &chunk, std::uint64_t repeats)
	{
		std::uint64_t done = 0;
		if (target.old && target.old->is_known())
			done = target.old->known_count(chunk, repeats);
		if (done < repeats && is_zero_chunk(chunk) &&
			(!target.is_kept ||
				target.file.punch_hole(chunk.offset + done * chunk.size, (repeats - done) * chunk.size)))
			done = repeats;
		count(chunk, done);
		return done;
	}

	void count(const ContentChunk &chunk, std::uint64_t repeats = 1)
	{
		counts_.chunks.add(repeats);
		counts_.bytes.add(chunk.size * repeats);
	}

	// One of a long run of zeros: known without being read.
	bool is_zero_chunk(const ContentChunk &chunk) const
	{
		return std::find(zero_sizes_.begin(), zero_sizes_.end(), chunk.size) != zero_sizes_.end() &&
			chunk.id == zero_digest(chunk.size);
	}

	void flush()
	{
		if (!unit_.shares.empty())
			push(std::exchange(unit_, Unit()));
	}

	// --- threads ------------------------------------------------------------------------

	void push(Unit unit)
	{
		std::unique_lock lock(mutex_);
		if (workers_.is_stopped())
			throw ReadMemory::Stopped();
		if (queue_.size() >= plan_.threads + 1) {
			lock.unlock();
			reader_.clock().lap(Step::walk);
			work(reader_, unit);
			return;
		}
		queue_.push_back(std::move(unit));
		// The planner is one of them, in the end.
		if (queue_.size() > 1 && workers_.size() + 1 < plan_.threads)
			add_thread();
		lock.unlock();
		changed_.notify_one();
	}

	void add_thread()
	{
		if (!workers_.start([this] { run_worker(); }))
			plan_.threads = workers_.size() + 1;
	}

	std::optional<Unit> claim(bool waits)
	{
		std::unique_lock lock(mutex_);
		if (waits)
			changed_.wait(lock, [&] { return workers_.is_stopped() || is_planned_ || !queue_.empty(); });
		if (workers_.is_stopped() || queue_.empty())
			return {};
		Unit unit = std::move(queue_.front());
		queue_.pop_front();
		return unit;
	}

	void run_worker()
	{
		ChunkReader reader(store_, blocks_, counts_);
		while (std::optional<Unit> unit = claim(true)) {
			reader.clock().lap(Step::idle);
			work(reader, *unit);
		}
	}

	void wake_all()
	{
		{
			// Who is about to wait has seen the stop, or waits by now.
			std::lock_guard guard(mutex_);
		}
		changed_.notify_all();
		memory_.stop();
	}

	void finish()
	{
		while (std::optional<Unit> unit = claim(false))
			work(reader_, *unit);
		{
			std::lock_guard guard(mutex_);
			is_planned_ = true;
		}
		changed_.notify_all();
	}

	// --- writing ------------------------------------------------------------------------

	void work(ChunkReader &reader, Unit &unit)
	{
		const Target &first = *unit.shares.front().target;
		if (first.old && !first.old->is_known())
			drop_present(*first.old, unit);
		const std::size_t size = reader.locate(unit.chunks);
		const ReadMemory::Lease memory = memory_.take(size);
		reader.clock().lap(Step::wait);
		reader.read(unit.chunks, memory.bytes());
		const Region region("write");
		for (Unit::Share &share : unit.shares) {
			check_interrupted();
			try {
				put(share, std::span(unit.chunks).subspan(share.first, share.count));
			} catch (const SystemError &error) {
				fail_unwritable(*share.target, error);
			}
			release(share.target);
			share.target.reset();
		}
		reader.clock().lap(Step::write);
	}

	// Of a large file that is changed in place, what it has already.
	void drop_present(const OldContent &old, Unit &unit)
	{
		std::size_t largest = 0;
		for (const WantedChunk &wanted : unit.chunks)
			largest = std::max<std::size_t>(largest, wanted.chunk.size);
		const ReadMemory::Lease scratch = memory_.take(largest);
		std::erase_if(unit.chunks, [&](const WantedChunk &wanted) {
			if (!old.has(wanted.chunk, scratch.bytes()))
				return false;
			count(wanted.chunk);
			return true;
		});
		unit.shares.front().count = unit.chunks.size();
	}

	void put(const Unit::Share &share, std::span<const WantedChunk> chunks)
	{
		Target &target = *share.target;
		for (const WantedChunk &wanted : chunks)
			if (wanted.has_failed()) {
				fail(target, wanted.failure, wanted.status);
				return;
			}
		if (target.has_failed)
			return;
		if (!target.file.is_open()) {
			if (is_there_already(target, chunks))
				return;
			make(target, false);
		}
		write(target, chunks);
	}

	// A small file is replaced as a whole, or left alone.
	bool is_there_already(Target &target, std::span<const WantedChunk> chunks)
	{
		if (!keep(target, O_RDONLY))
			return false;
		const bool is_same = target.file.size() == target.entry.size &&
			std::all_of(chunks.begin(), chunks.end(), [&](const WantedChunk &wanted) {
				return has_bytes(target.file, wanted.bytes, wanted.chunk.offset);
			});
		target.is_kept = is_same;
		if (!is_same)
			target.file = File();
		else
			for (const WantedChunk &wanted : chunks)
				count(wanted.chunk);
		return is_same;
	}

	// Opens what is there, if it may be changed in place; else it is replaced, as what has other names,
	// may not be written, or runs.
	bool keep(Target &target, int access)
	{
		if (!options_.in_place || !target.replaces)
			return false;
		if (target.is_device) {
			target.file = open_device(target.entry, target.directory->file, O_RDWR);
			target.is_kept = true;
			target.old.emplace(store_, target.file, std::nullopt);
			return true;
		}
		try {
			File file = open_beneath(target.directory->file, name_of(target.entry.path), access | O_NONBLOCK);
			const FileStat stat = file.stat();
			if (stat.type != FileType::regular || stat.links > 1)
				return false;
			target.file = File(file.release(), target.entry.path);
			target.is_kept = true;
			if (target.entry.size > small_file)
				target.old.emplace(store_, target.file,
					options_.known_root ? options_.known_root(target.entry.path, stat) : std::nullopt);
			return true;
		} catch (const SystemError &) {
			return false;
		}
	}

	// The one place where content gets into files.
	void write(const Target &target, std::span<const WantedChunk> chunks)
	{
		ContentWriter writer(target.file, !target.is_kept, target.entry.size < uncached_file);
		for (const WantedChunk &wanted : chunks) {
			writer.write(wanted.bytes, wanted.chunk.offset);
			count(wanted.chunk);
		}
		// Large files have their size from the beginning.
		if (writer.finish() && target.entry.size <= small_file)
			target.file.truncate(target.entry.size);
	}

	// Under a name of its own if it takes long or something is replaced.
	void make(Target &target, bool is_large)
	{
		const std::string name =
			is_large || target.replaces ? temporary_name() : name_of(target.entry.path);
		try {
			File file = File::open_at(target.directory->file.fd(), name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, target.entry.mode & 0777);
			// Messages speak of the path.
			target.file = File(file.release(), target.entry.path);
			target.made_name = name;
		} catch (const SystemError &error) {
			if (error.error() == EEXIST)
				fail_collision(target.entry.path);
			throw SystemError("create", target.entry.path, error.error());
		}
		if (target.replaces)
			keep_owner(target);
	}

	// Who extracts for somebody else, as root does, leaves his files to him.
	static void keep_owner(const Target &target)
	{
		const std::optional<FileStat> old =
			find_stat_at(target.directory->file.fd(), name_of(target.entry.path));
		if (old && old->type == FileType::regular)
			target.file.keep_owner(*old);
	}

	std::string temporary_name() { return temporary_prefix_ + std::to_string(temporary_count_++); }

	std::uint16_t mode_of(const Entry &entry) const
	{
		return entry.mode & (options_.restore_setuid ? 07777 : 0777);
	}

	// Whoever is the last to need the target ends it.
	void release(const TargetPointer &target)
	{
		if (--target->pending > 0)
			return;
		try {
			if (!target->has_failed)
				complete(*target);
		} catch (const SystemError &error) {
			fail_unwritable(*target, error);
		}
		if (target->has_failed)
			add_failure({target->entry.path, target->failure, target->status});
	}

	// Calls set, and counts the entry where the file system does not do that.
	void try_to_set(UnsetCount &unset, const std::function<void()> &set)
	{
		try {
			set();
		} catch (const SystemError &error) {
			if (!is_unsupported(error.error()))
				throw;
			note(unset, error.what());
		}
	}

	void note(UnsetCount &unset, const std::string &reason)
	{
		std::lock_guard guard(mutex_);
		if (unset.entries++ == 0)
			unset.reason = reason;
	}

	void set_mode(const File &file, const Entry &entry)
	{
		try_to_set(result_.modes, [&] { file.set_mode(mode_of(entry)); });
	}

	// set is false where the file system cannot hold the time, and has the nearest.
	void set_times(const Entry &entry, const std::function<bool()> &set)
	{
		try_to_set(result_.times, [&] {
			if (!set())
				note(result_.clamped_times, "the file system cannot hold the time of " +
					quote(entry.path) + "; the nearest that it can is set");
		});
	}

	void set_times(const File &file, const Entry &entry)
	{
		if (entry.mtime_ns)
			set_times(entry, [&] { return file.set_times(*entry.mtime_ns); });
	}

	void complete(Target &target)
	{
		const Entry &entry = target.entry;
		const std::uint16_t mode = mode_of(entry);
		Directory &directory = *target.directory;
		if (target.is_device) {
			// Its mode and time are not those of an image.
		} else if (target.is_kept) {
			if (target.file.stat().mode != mode)
				set_mode(target.file, entry);
		} else if (mode != directory.plain_mode) {
			if (target.file.stat().mode == mode)
				directory.plain_mode = mode;
			else
				set_mode(target.file, entry);
		}
		if (!target.is_device)
			set_times(target.file, entry);
		if (options_.sync || target.is_device)
			target.file.sync_all();
		target.file.close();
		const std::string name = name_of(entry.path);
		if (!target.is_kept && target.made_name != name) {
			if (!target.replaces && find_stat_at(directory.file.fd(), name))
				fail_collision(entry.path);
			rename_at(directory.file, target.made_name, name);
		}
		target.made_name.clear();
		counts_.files.add();
		files_++;
		bytes_ += entry.size;
	}

	void fail(Target &target, const std::string &reason, int status)
	{
		std::lock_guard guard(mutex_);
		if (target.has_failed)
			return;
		target.failure = reason;
		target.status = status;
		target.has_failed = true;
	}

	// To be called where the error is handled: throws on what is no fate of one entry.
	void fail_unwritable(Target &target, const SystemError &error)
	{
		if (!is_of_one_entry(error.error()))
			throw;
		fail(target, error.what(), exit_status::partial);
	}

	void add_unwritable(const std::string &path, const SystemError &error)
	{
		if (!is_of_one_entry(error.error()))
			throw;
		add_failure({path, error.what(), exit_status::partial});
	}

	void add_failure(const CheckoutFailure &failure)
	{
		std::lock_guard guard(mutex_);
		result_.failures++;
		// Damage is the worst news.
		if (result_.status != exit_status::corrupt)
			result_.status = failure.status;
		if (options_.failed)
			options_.failed(failure);
	}

	// --- what comes last ----------------------------------------------------------------

	void write_symlink(const Entry &entry, const File &parent, bool exists)
	{
		std::string text;
		try {
			if (entry.size == 0 || entry.size > max_link_size)
				throw Error("no symlink can have a text of " + std::to_string(entry.size) + " bytes");
			pipeline_.read(entry, {0, entry.size}, [&](Bytes bytes) { text += text_of(bytes); });
			if (text.find('\0') != text.npos)
				throw Error("no symlink can have a text with a NUL byte");
		} catch (const Error &error) {
			if (error.status() == exit_status::interrupted)
				throw;
			add_failure({entry.path, error.what(), error.status()});
			return;
		}
		make_symlink(entry, parent, text, exists);
		counts_.files.add();
		result_.symlinks++;
	}

	void make_symlink(const Entry &entry, const File &parent, const std::string &text, bool exists)
	{
		const std::string name = name_of(entry.path), made = exists ? temporary_name() : name;
		try {
			make_symlink_at(parent, made, text);
		} catch (const SystemError &error) {
			if (error.error() == EEXIST)
				fail_collision(entry.path);
			throw SystemError("create the symlink", entry.path, error.error());
		}
		try {
			if (entry.mtime_ns)
				set_times(entry, [&] { return set_link_times_at(parent, made, *entry.mtime_ns); });
			if (exists)
				rename_at(parent, made, name);
		} catch (const Error &) {
			remove_at(parent, made, false);
			throw;
		}
	}

	void write_directory(const Entry &entry, const File &parent, bool exists)
	{
		const std::string name = name_of(entry.path);
		if (!exists && find_stat_at(parent.fd(), name))
			fail_collision(entry.path);
		make_directory_at(parent, name);
		counts_.files.add();
		result_.directories++;
		if (exists && !options_.overwrite)
			return;
		const File directory = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
		set_mode(directory, entry);
		set_times(directory, entry);
	}

	void sync(const File &directory) const
	{
		try {
			open_directory_at(directory.fd(), ".").sync_all();
		} catch (const SystemError &error) {
			// Some network file systems cannot, and there is nothing more to be had.  A directory
			// that could not be entered is among the failures.
			const bool is_blocked = result_.failures > 0 && is_of_one_entry(error.error());
			if (error.error() != EINVAL && error.error() != ENOTSUP && !is_blocked)
				throw;
		}
	}

	Store &store_;
	const Selection &selection_;
	const CheckoutOptions &options_;
	Work &counts_;
	ReadPlan plan_;
	ReadMemory memory_;
	ChunkCache blocks_{shared_blocks};
	std::string temporary_prefix_;
	std::atomic<std::uint64_t> temporary_count_{0};
	std::vector<std::uint64_t> zero_sizes_;

	// By number of entry, from the check.
	std::vector<bool> exists_;
	std::unordered_set<std::size_t> devices_;
	bool has_others_ = false;
	bool are_directories_made_ = false; // and those that cannot be are told of
	Work::Totals totals_;

	// Of the planner.
	ChunkReader reader_;
	ReadPipeline pipeline_;
	Unit unit_;
	std::vector<ContentChunk> small_;

	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Unit> queue_;
	bool is_planned_ = false;
	std::atomic<std::uint64_t> files_{0}, bytes_{0};
	CheckoutResult result_;
	Workers workers_{[this] { wake_all(); }}; // the last member, since the others are what they use
};

static DirectoryPointer open_destination(const std::string &path)
{
	auto directory = std::make_shared<Directory>();
	directory->file = File::open_with(path, O_RDONLY | O_DIRECTORY);
	return directory;
}

// Returns the directories that have a new one in them.
static std::vector<std::string> make_directories(const std::string &path)
{
	std::vector<std::string> changed;
	const std::string above = directory_of(path);
	if (!find_stat(above))
		changed = make_directories(above);
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
		changed = make_directories(destination);
		root = open_destination(destination);
	}
	extraction.write_files(root);
	extraction.write_others(root);
	if (options.sync) {
		extraction.sync_directories(root);
		for (const std::string &above : changed)
			sync_directory(above);
	}
	return extraction.take_result();
}

} // namespace dig
