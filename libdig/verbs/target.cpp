// A person must never find half a file under a name and take it for the whole.  A large file takes
// long, so it is written under a temporary name and renamed when it is complete.  So is every file
// that replaces another one: until the rename, the old content is there.  Only a small new file
// gets its own name at once, which saves a rename for each.  Its content is in memory by then, so
// it is short of bytes only for a moment.
//
// Temporary names have 64 random bits, so two extractions into one directory do not meet, and a
// file of that name that is left over was left by a crash.
//
// --in-place gives this up, for files and disks that are too large to be there twice.  Chunks that
// are in their place already are not written.
#include "libdig/verbs/target.h"

#include <algorithm>
#include <cerrno>

#include "libdig/base/zeros.h"
#include "libdig/os/beneath.h"
#include "libdig/os/clock.h"

namespace dig {

// So large files would push everything else out of the page cache.
constexpr std::uint64_t uncached_file = 64_MiB;
constexpr std::uint64_t least_hole = 64_KiB;

// --- what stands there ----------------------------------------------------------------------

void Obstacles::add(DirectoryStack &stack, const Entry &entry)
{
	exists_.push_back(is_there(stack, entry));
}

// An entry that may not be looked at counts as missing.  To write it will fail by itself.
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

bool Obstacles::is_there(DirectoryStack &stack, const Entry &entry)
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

// A device, a FIFO or a socket is in use by somebody, so that -f alone does not replace it.  A block
// device can be written in place.
void Obstacles::check_special(const Entry &entry, const File &parent, FileType type)
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

// --- content --------------------------------------------------------------------------------

// Writes content but for holes, and joins neighbouring chunks to as few calls as it can.
class ContentWriter {
public:
	// In a file that is not new, a hole would leave the old bytes: zeros have to be written.
	ContentWriter(const File &file, bool is_new, bool keep_cached)
		: file_(file), is_new_(is_new), keep_cached_(keep_cached)
	{
	}

	void write(Bytes bytes, std::uint64_t offset)
	{
		// Only whole blocks of a file can be holes, so the windows are aligned in the file.
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

// --- one file -------------------------------------------------------------------------------

TargetPlan::TargetPlan(Store &from, const CheckoutOptions &with, CheckoutTally &into)
	: store(from), options(with), tally(into),
	  temporary_prefix(".dig-tmp-" + to_hex(random_digest()).substr(0, 16) + "-")
{
}

Target::Target(TargetPlan &plan, const Entry &entry, Spot spot)
	: plan_(plan), entry_(entry), spot_(std::move(spot))
{
}

Target::~Target()
{
	if (made_name_.empty())
		return;
	try {
		remove_at(spot_.directory->file, made_name_, false);
	} catch (const Error &) {
		// Whatever ended this is worth more words.
	}
}

void Target::open_large()
{
	if (!keep(O_RDWR))
		make(true);
	if (!spot_.is_device)
		file_.truncate(entry_.size);
}

bool Target::punch_hole(std::uint64_t offset, std::uint64_t size) const
{
	return !is_kept_ || file_.punch_hole(offset, size);
}

// Opens what is there, if it may be changed in place.  What has other names, may not be written, or
// runs is replaced.
bool Target::keep(int access)
{
	if (!plan_.options.in_place || !spot_.replaces)
		return false;
	if (spot_.is_device) {
		keep_device();
		return true;
	}
	try {
		File file = open_beneath(spot_.directory->file, name_of(entry_.path), access | O_NONBLOCK);
		const FileStat stat = file.stat();
		if (stat.type != FileType::regular || stat.links > 1)
			return false;
		file_ = File(file.release(), entry_.path);
		is_kept_ = true;
		if (entry_.size > small_file)
			old_.emplace(plan_.store, file_, plan_.options.known_root
				? plan_.options.known_root(entry_.path, stat) : std::nullopt);
		return true;
	} catch (const SystemError &) {
		return false;
	}
}

void Target::keep_device()
{
	file_ = open_device(entry_, spot_.directory->file, O_RDWR);
	is_kept_ = true;
	old_.emplace(plan_.store, file_, std::nullopt);
}

// Under a temporary name if writing takes long, so that nobody sees half a file, or if something is
// replaced.
void Target::make(bool is_large)
{
	const bool is_apart = is_large || spot_.replaces;
	const std::string name = is_apart ? plan_.temporary_name() : name_of(entry_.path);
	try {
		File file = File::open_at(spot_.directory->file.fd(), name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry_.mode & 0777);
		// Messages speak of the path.
		file_ = File(file.release(), entry_.path);
		made_name_ = name;
	} catch (const SystemError &error) {
		if (error.error() == EEXIST)
			fail_collision(entry_.path);
		throw SystemError("create", entry_.path, error.error());
	}
	if (spot_.replaces)
		keep_owner();
}

// When root extracts over the files of somebody else, they stay the files of that user.
void Target::keep_owner() const
{
	const std::optional<FileStat> old = find_stat_at(spot_.directory->file.fd(), name_of(entry_.path));
	if (old && old->type == FileType::regular)
		file_.keep_owner(*old);
}

bool Target::is_there_already(std::span<const WantedChunk> chunks)
{
	if (!keep(O_RDONLY))
		return false;
	is_kept_ = file_.size() == entry_.size &&
		std::all_of(chunks.begin(), chunks.end(), [&](const WantedChunk &wanted) {
			return has_bytes(file_, wanted.bytes, wanted.chunk.offset);
		});
	if (!is_kept_)
		file_ = File();
	return is_kept_;
}

void Target::write(std::span<const WantedChunk> chunks)
{
	if (!file_.is_open()) {
		if (is_there_already(chunks))
			return;
		make(false);
	}
	ContentWriter writer(file_, !is_kept_, entry_.size < uncached_file);
	for (const WantedChunk &wanted : chunks)
		writer.write(wanted.bytes, wanted.chunk.offset);
	// Large files have their size from the beginning.
	if (writer.finish() && entry_.size <= small_file)
		file_.truncate(entry_.size);
}

void Target::set_attributes()
{
	const std::uint16_t mode = plan_.tally.mode_of(entry_);
	Directory &directory = *spot_.directory;
	if (spot_.is_device)
		return; // its mode and time are not those of an image
	if (is_kept_) {
		if (file_.stat().mode != mode)
			plan_.tally.set_mode(file_, entry_);
	} else if (mode != directory.plain_mode) {
		if (file_.stat().mode == mode)
			directory.plain_mode = mode;
		else
			plan_.tally.set_mode(file_, entry_);
	}
	plan_.tally.set_times(file_, entry_);
}

void Target::complete()
{
	set_attributes();
	if (plan_.options.sync || spot_.is_device)
		file_.sync_all();
	file_.close();
	const File &directory = spot_.directory->file;
	const std::string name = name_of(entry_.path);
	if (!is_kept_ && made_name_ != name) {
		if (!spot_.replaces && find_stat_at(directory.fd(), name))
			fail_collision(entry_.path);
		rename_at(directory, made_name_, name);
	}
	made_name_.clear();
	plan_.tally.add(entry_);
}

void Target::fail(const std::string &reason, int status)
{
	std::lock_guard guard(mutex_);
	if (has_failed_)
		return;
	reason_ = reason;
	status_ = status;
	has_failed_ = true;
}

void Target::fail_unwritable(const SystemError &error)
{
	if (!is_of_one_entry(error.error()))
		throw;
	fail(error.what(), exit_status::partial);
}

// --- symlinks and empty directories ---------------------------------------------------------

void write_symlink(TargetPlan &plan, const Entry &entry, const File &parent, const std::string &text, bool exists)
{
	const std::string name = name_of(entry.path), made = exists ? plan.temporary_name() : name;
	try {
		make_symlink_at(parent, made, text);
	} catch (const SystemError &error) {
		if (error.error() == EEXIST)
			fail_collision(entry.path);
		throw SystemError("create the symlink", entry.path, error.error());
	}
	try {
		if (entry.mtime_ns)
			plan.tally.set_times(entry, [&] { return set_link_times_at(parent, made, *entry.mtime_ns); });
		if (exists)
			rename_at(parent, made, name);
	} catch (const Error &) {
		remove_at(parent, made, false);
		throw;
	}
	plan.tally.add(entry);
}

void write_directory(TargetPlan &plan, const Entry &entry, const File &parent, bool exists)
{
	const std::string name = name_of(entry.path);
	if (!exists && find_stat_at(parent.fd(), name))
		fail_collision(entry.path);
	make_directory_at(parent, name);
	plan.tally.add(entry);
	if (exists && !plan.options.overwrite)
		return;
	const File directory = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
	plan.tally.set_mode(directory, entry);
	plan.tally.set_times(directory, entry);
}

} // namespace dig
