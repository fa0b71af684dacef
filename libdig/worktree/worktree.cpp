// How a tree of any size is walked in the order of paths.
//
// The order is that of memcmp over whole paths, with a '/' behind the path of a directory: "a-b",
// "a/b", "ab".  The index and the states have the same order, so that one pass compares all of them.
//
// The walk is in a stack of levels, one for each directory on the way to where it is.  A level has an
// open descriptor, the names in the directory, and what threads have found out about these ahead of
// the walk (tree_listing).  Three bounds keep it small whatever the tree:
//
//   - Names.  Of a directory with very many, the next part only is listed.  Where the levels together
//     hold more than 262,144 names, the outer ones drop theirs, and list them again, from the last
//     one on, when the walk is back.
//   - Descriptors.  The innermost 256 levels are open, or a quarter of what the process may open.
//     An outer one is opened again by "..", which must be the same directory still, or from the root.
//   - Paths.  There is one, that of the innermost level; those of the others are beginnings of it.
//
// A walk that listed everything first and sorted it would be simpler, and needs memory for the tree.
//
// Everything is opened relative to a descriptor, and never through a symbolic link, so that nobody
// who changes the tree meanwhile leads the walk out of it.  A file that is gone between its listing
// and the look at it was never there.  Any other failure is a record, so that whoever compares does
// not take what could not be looked at for removed.
#include "libdig/worktree/worktree.h"

#include <algorithm>
#include <cerrno>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/format/store_format.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/worktree/ignore_files.h"
#include "libdig/worktree/tree_listing.h"

namespace dig {

// Names that all levels together may hold; lists of fewer than many_names stay.
constexpr std::size_t most_names = 262144, many_names = 64;
constexpr std::size_t most_open_levels = 256;
constexpr std::size_t max_pointer = 8_KiB; // of the file that names a store

static bool is_store_format(int directory, const std::string &path)
{
	const File file = File::open_at(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	Buffer magic(format_magic.size());
	return file.stat().type == FileType::regular && file.read_at(magic, 0) == magic.size() &&
		text_of(magic) == format_magic;
}

// The store that a file ".dig" names; nothing where it is no such file.
static std::optional<std::string> find_named_store(int directory)
{
	const File file = File::open_at(directory, ".dig", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (file.stat().type != FileType::regular)
		return {};
	Buffer content(max_pointer);
	content.resize(file.read_at(content, 0));
	std::string_view line = text_of(content);
	constexpr std::string_view key = "store: ";
	if (!line.starts_with(key) || !line.ends_with('\n'))
		return {};
	line.remove_prefix(key.size());
	line.remove_suffix(1);
	return std::string(line);
}

// Whether ".dig" in a directory is a store or leads to one.  Anything else of that name is junk.  One
// that this user may not look at is taken for the store of somebody else.
static bool is_work_tree(const File &directory)
{
	try {
		if (find_stat_at(directory.fd(), ".dig/format"))
			return is_store_format(directory.fd(), ".dig/format");
		const std::optional<std::string> store = find_named_store(directory.fd());
		return store && is_store_format(directory.fd(), *store + "/format");
	} catch (const SystemError &error) {
		return error.error() == EACCES || error.error() == EPERM;
	} catch (const Error &) {
		return false; // a pipe, say
	}
}

// A path that was asked for, and what lies there.
struct AskedPath {
	std::string path;
	std::optional<FileStat> stat;
	int error = 0; // met when it was looked at
	bool is_nested = false; // in another one, which brings what lies there

	bool is_directory() const { return stat && stat->type == FileType::directory; }
	// By which it is sorted among records.
	std::string position() const { return is_directory() ? path + "/" : path; }
};

class Walk {
public:
	Walk(const File &root, const WalkOptions &options, const std::function<void(const WorkRecord &)> &found)
		: root_(root), options_(options), found_(found)
	{
	}

	// What lies at a path that was asked for; false when it is ignored.
	bool start(const AskedPath &asked)
	{
		const std::string &path = asked.path;
		if (path.empty()) {
			push(listing_.list(open_directory_at(root_.fd(), ".")), "");
			run();
			return true;
		}
		if (asked.error) {
			fail(path, asked.error);
			return true;
		}
		if (!asked.stat) {
			tell(WorkRecord::Type::missing, path);
			return true;
		}
		if (!options_.takes_ignored && is_ignored(root_, path, asked.is_directory())) {
			tell(WorkRecord::Type::ignored, path);
			return false;
		}
		if (asked.is_nested)
			return true;
		ignores_ = ignore_files_above(root_, path);
		const Parent parent = open_parent_beneath(root_, path);
		visit({parent.directory.fd(), parent.name, path}, asked.stat->type);
		run();
		ignores_ = IgnoreStack();
		return true;
	}

	std::uint64_t count() const { return count_; }

private:
	struct Level {
		TreeListing::Listing listing;
		std::size_t path_size; // the beginning of path_ is its path
		std::size_t next = 0;
		std::string last_key;   // of the items before those listed
		bool has_items = false; // before those listed
	};
	// Something in a directory, or a path that was asked for.
	struct Place {
		int parent;
		const std::string &name, &path;
		const TreeListing::Item *looked = nullptr;
		TreeListing::Handle below = nullptr;
	};

	void tell(WorkRecord::Type type, const std::string &path, int error = 0, const char *kind = "")
	{
		record_.clear();
		record_.type = type;
		record_.path = path;
		record_.error = error;
		record_.kind = kind;
		tell_record();
	}
	void tell(const std::string &path, const FileStat &stat)
	{
		record_.describe(path, stat);
		tell_record();
	}
	void tell_record()
	{
		count_++;
		found_(record_);
	}
	void fail(const std::string &path, int error) { tell(WorkRecord::Type::failed, path, error); }

	void push(TreeListing::Listing listing, const std::string &path)
	{
		std::optional<Buffer> content;
		try {
			if (listing.has(ignore_file_name))
				content = read_ignore_file(*listing.directory, path);
		} catch (...) {
			drop_below(listing);
			throw;
		}
		ignores_.push(path, content ? std::optional<Bytes>(*content) : std::nullopt);
		const bool is_long = listing.items.size() >= many_names;
		levels_.push_back({std::move(listing), path.size(), 0, {}, false});
		path_ = path;
		if (is_long)
			shorten_levels_above();
		close_level_above();
	}

	void run()
	{
		while (!levels_.empty()) {
			Level &level = levels_.back();
			TreeListing::Listing &listing = level.listing;
			if (level.next == listing.items.size()) {
				if (listing.has_more)
					go_on(level);
				else
					leave();
				continue;
			}
			check_interrupted();
			const std::size_t i = level.next++;
			name_ = listing.items.name(i);
			item_path_.assign(path_, 0, level.path_size);
			if (!item_path_.empty())
				item_path_ += '/';
			item_path_ += name_;
			const FileType type = listing.items.type(i).value_or(FileType::regular);
			// Levels move when one is added.
			const TreeListing::Item looked = listing.looked.empty() ? TreeListing::Item() : listing.looked[i];
			visit({listing.directory->fd(), name_, item_path_, &looked, std::move(listing.below[i])}, type);
		}
	}

	// With the next names of a directory that has very many.
	void go_on(Level &level)
	{
		if (level.listing.items.size() > 0)
			level.last_key = level.listing.items.key(level.listing.items.size() - 1);
		level.next = 0;
		level.has_items = true;
		listing_.go_on(level.listing, level.last_key);
	}

	// Outer levels drop long lists of names; they are read again when the walk is back.
	void shorten_levels_above()
	{
		std::size_t count = 0;
		for (const Level &level : levels_)
			count += level.listing.items.size();
		for (std::size_t i = 0; i + 1 < levels_.size() && count > most_names; i++) {
			Level &level = levels_[i];
			if (level.listing.items.size() < many_names)
				continue;
			count -= level.listing.items.size();
			shorten(level);
		}
	}

	void shorten(Level &level)
	{
		level.last_key = level.listing.items.key(level.next - 1);
		drop_below(level.listing);
		level.listing.items = {};
		level.listing.looked.clear();
		level.listing.below.clear();
		level.listing.has_more = level.has_items = true;
		level.next = 0;
	}

	// Of a deep tree not every directory can stay open.
	void close_level_above()
	{
		if (levels_.size() <= most_open_)
			return;
		Level &level = levels_[levels_.size() - 1 - most_open_];
		if (!level.listing.directory)
			return;
		if (level.next < level.listing.items.size())
			shorten(level); // its listings of directories below keep it open
		level.listing.directory.reset();
	}

	// below is the directory that the walk comes back from, if it is open.
	void open_again(Level &level, const std::shared_ptr<const File> &below)
	{
		path_.resize(level.path_size);
		try {
			File directory;
			if (below)
				directory = open_directory_at(below->fd(), "..");
			if (!below || !is_same_directory(directory.stat(), level.listing.stat))
				directory = path_.empty() ? open_directory_at(root_.fd(), ".")
					: open_beneath(root_, path_, O_RDONLY | O_DIRECTORY);
			level.listing.directory = std::make_shared<const File>(std::move(directory));
		} catch (const SystemError &error) {
			fail(path_ + "/", error.error());
			level.listing.items = {};
			level.listing.has_more = false;
			level.has_items = true;
			level.next = 0;
		}
	}

	static bool is_same_directory(const FileStat &a, const FileStat &b)
	{
		return a.inode == b.inode && a.device == b.device;
	}

	void leave()
	{
		const Level &level = levels_.back();
		// A directory is an entry only when nothing in it is.
		path_.resize(level.path_size);
		if (level.listing.items.size() == 0 && !level.has_items && !path_.empty())
			tell(path_, level.listing.stat);
		const std::shared_ptr<const File> left = level.listing.directory;
		ignores_.pop();
		levels_.pop_back();
		if (!levels_.empty() && !levels_.back().listing.directory)
			open_again(levels_.back(), left);
	}

	void visit(const Place &place, FileType type)
	{
		if (!enters(place, type) && place.below)
			listing_.drop(place.below);
	}

	// True when the listing of what is below was taken.
	bool enters(const Place &place, FileType type)
	{
		const std::string &path = place.path;
		if (place.name == ".dig")
			return false;
		if (!options_.takes_ignored && levels_.size() + ignores_.depth() > 0 &&
			ignores_.ignores(path, type == FileType::directory)) {
			tell(WorkRecord::Type::ignored, path);
			return false;
		}
		if (!path_problem(path).empty()) {
			fail(path, path.size() > max_path_size ? ENAMETOOLONG : EINVAL);
			return false;
		}
		try {
			if (type == FileType::directory)
				visit_directory(place);
			else
				visit_file(place);
		} catch (const SystemError &error) {
			// Gone between listing and looking: as if it had never been there.
			if (error.error() != ENOENT)
				fail(type == FileType::directory ? path + "/" : path, error.error());
		}
		return true;
	}

	void visit_directory(const Place &place)
	{
		TreeListing::Listing listing = place.below ? listing_.take(place.below)
			: listing_.list(open_directory_at(place.parent, place.name));
		if (listing.has(".dig") && is_work_tree(*listing.directory)) {
			drop_below(listing);
			skip(place.path, "store");
			return;
		}
		push(std::move(listing), place.path);
	}

	void drop_below(const TreeListing::Listing &listing)
	{
		for (const TreeListing::Handle &below : listing.below)
			if (below)
				listing_.drop(below);
	}

	void skip(const std::string &path, const char *kind) { tell(WorkRecord::Type::skipped, path, 0, kind); }

	void visit_file(const Place &place)
	{
		std::optional<FileStat> stat;
		if (place.looked && place.looked->state == TreeListing::Item::State::known)
			stat = place.looked->stat;
		else if (!place.looked || place.looked->state == TreeListing::Item::State::unknown)
			stat = find_stat_at(place.parent, place.name);
		if (!stat)
			return;
		// It was a file when it was listed: what is in it would come too late for the order.
		if (stat->type == FileType::directory)
			return skip(place.path, "directory");
		tell(place.path, *stat);
	}

	const File &root_;
	const WalkOptions &options_;
	const std::function<void(const WorkRecord &)> &found_;
	TreeListing listing_;
	// Of the current directory.  A path for each level would be gigabytes in a deep tree.
	std::string path_;
	std::vector<Level> levels_;
	const std::size_t most_open_ = std::clamp<std::size_t>(file_limit() / 4, 4, most_open_levels);
	IgnoreStack ignores_;
	std::uint64_t count_ = 0;
	// Of the item that is visited.  They are members for their memory.
	std::string name_, item_path_;
	WorkRecord record_;
};

// Sorted in the order of their records.  Paths that lie in another one come last: the walk of the other
// one brings their records, and only a missing or ignored path of them is told by itself.
static std::vector<AskedPath> asked_paths(const File &root, std::vector<std::string> paths)
{
	std::sort(paths.begin(), paths.end(),
		[](const std::string &a, const std::string &b) { return a + "/" < b + "/"; });
	const bool has_all = std::find(paths.begin(), paths.end(), "") != paths.end();
	std::vector<AskedPath> kept;
	paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
	std::string outer;
	for (std::string &path : paths) {
		AskedPath asked;
		asked.is_nested = !path.empty() && (has_all || (!outer.empty() && is_within(path, outer)));
		asked.path = std::move(path);
		if (asked.path.empty()) {
			kept.push_back(std::move(asked));
			continue;
		}
		if (!asked.is_nested)
			outer = asked.path;
		try {
			asked.stat = find_stat_beneath(root, asked.path);
		} catch (const SystemError &error) {
			asked.error = error.error();
		}
		kept.push_back(std::move(asked));
	}
	std::sort(kept.begin(), kept.end(), [](const AskedPath &a, const AskedPath &b) {
		return a.is_nested != b.is_nested ? b.is_nested : a.position() < b.position();
	});
	return kept;
}

void walk_work_tree(const File &root, std::vector<std::string> paths, const WalkOptions &options,
	const std::function<void(const WorkRecord &)> &found, std::vector<std::string> &named_ignored)
{
	const std::vector<AskedPath> all = asked_paths(root, std::move(paths));
	std::uint64_t count = 0;
	WorkRecord record;
	for (const AskedPath &asked : all) {
		if (asked.is_nested)
			continue;
		record.type = WorkRecord::Type::scope;
		record.path = asked.path.empty() ? "." : asked.path;
		found(record);
		count++;
	}
	Walk walk(root, options, found);
	for (const AskedPath &asked : all)
		if (!walk.start(asked))
			named_ignored.push_back(asked.path);
	record.type = WorkRecord::Type::end;
	record.count = count + walk.count();
	found(record);
}

} // namespace dig
