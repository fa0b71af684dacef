// How threads list ahead of a walk without listing in vain.
//
// order_ has the directories that are known and not taken yet, depth first: what the walk comes to
// next stands in front.  A thread takes the first that nobody works on.  When a directory is listed,
// the directories in it are inserted right behind it, so the order stays that of the walk.  A directory
// that the walk does not enter is dropped with all that was listed below it.
//
// The walker never waits idly.  If another thread lists the directory that it needs, it lists the next
// one meanwhile.  Two bounds stop the threads: directories listed and not taken, each with an open
// descriptor, and the items in these.  They are woken when both are half used, and not for each
// directory, which would cost as much as to list it.
//
// stat is what costs time here, so the threads stat the files of a directory as well.  A failure of
// theirs is not reported: the walker looks again and meets it itself.
#include "libdig/worktree/tree_listing.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/machine.h"
#include "libdig/os/process.h"
#include "libdig/os/thread.h"

namespace dig {

// Starting a thread costs as much as listing ten small directories.
constexpr std::uint64_t taken_alone = 64;
constexpr std::size_t most_threads = 4;
// Listed and not taken yet: 6 MiB of stats at most.
constexpr std::size_t most_listed = 64, most_items = 65536;
// In a directory with more items, the walker stats each itself.
constexpr std::size_t most_looked = 16384;
// Bytes of names that one call lists (read_directory_part).  The first part is smaller, because several
// threads hold one at a time.
constexpr std::size_t first_part = 2_MiB, later_part = 8_MiB;

struct TreeListing::Directory {
	std::shared_ptr<const File> parent;
	std::string name;
	enum class State : std::uint8_t { waiting, working, listed } state = State::waiting;
	bool is_dropped = false;
	Order::iterator at;
	Listing listing;
	std::exception_ptr failure;
};

static TreeListing::Item look_at(int directory, const std::string &name);

bool TreeListing::Listing::has(std::string_view name) const
{
	for (std::size_t i = 0; i < items.size(); i++)
		if (items.name(i) == name)
			return true;
	return has_more && look_at(directory->fd(), std::string(name)).state == Item::State::known;
}

void TreeListing::wake_all()
{
	{
		// Who is about to wait has seen the stop, or waits by now.
		std::lock_guard guard(mutex_);
	}
	has_room_.notify_all();
	listed_one_.notify_all();
}

static TreeListing::Item look_at(int directory, const std::string &name)
{
	TreeListing::Item item;
	try {
		const std::optional<FileStat> stat = find_stat_at(directory, name);
		item.state = stat ? TreeListing::Item::State::known : TreeListing::Item::State::gone;
		if (stat)
			item.stat = *stat;
	} catch (const SystemError &) {
		// The walker looks again, and reports what it meets.
	}
	return item;
}

TreeListing::Listing TreeListing::list_one(File directory)
{
	Listing listing;
	listing.stat = directory.stat();
	listing.directory = std::make_shared<const File>(std::move(directory));
	fill(listing, read_directory_part(*listing.directory, {}, first_part));
	return listing;
}

void TreeListing::fill(Listing &listing, DirectoryPart part)
{
	listing.items = std::move(part.items);
	listing.has_more = part.has_more;
	const DirectoryList &items = listing.items;
	listing.below.clear();
	listing.below.resize(items.size());
	listing.looked.clear();
	if (items.size() > most_looked)
		return;
	listing.looked.resize(items.size());
	std::string name;
	for (std::size_t i = 0; i < items.size(); i++) {
		if (items.type(i) == FileType::directory)
			continue;
		name = items.name(i);
		listing.looked[i] = look_at(listing.directory->fd(), name);
	}
}

void TreeListing::go_on(Listing &listing, std::string_view after)
{
	// The old items go first: memory for both is not needed.
	listing.items = {};
	fill(listing, read_directory_part(*listing.directory, after, later_part));
	std::lock_guard guard(mutex_);
	enter(listing, order_.begin());
}

// Under the mutex: the directories in a listing are what comes next.
void TreeListing::enter(Listing &listing, Order::iterator where)
{
	for (std::size_t i = 0; i < listing.items.size(); i++) {
		if (listing.items.type(i) != FileType::directory)
			continue;
		const Handle handle = std::make_shared<Directory>();
		handle->parent = listing.directory;
		handle->name = listing.items.name(i);
		handle->at = order_.insert(where, handle);
		listing.below[i] = handle;
	}
}

TreeListing::Listing TreeListing::list(File directory)
{
	Listing listing = list_one(std::move(directory));
	std::lock_guard guard(mutex_);
	enter(listing, order_.begin());
	return listing;
}

TreeListing::Listing TreeListing::take(const Handle &handle)
{
	std::unique_lock lock(mutex_);
	if (++taken_ == taken_alone)
		start_threads();
	// While another thread lists this directory, list the next one.
	while (handle->state != Directory::State::listed) {
		const Handle next = handle->state == Directory::State::waiting ? handle : next_waiting();
		if (next) {
			do_work(next, lock);
			continue;
		}
		if (threads_.is_stopped()) {
			lock.unlock();
			threads_.join();
		}
		is_walker_waiting_ = true;
		wait_interruptibly(listed_one_, lock);
	}
	is_walker_waiting_ = false;
	forget(handle);
	wake_threads();
	if (handle->failure)
		std::rethrow_exception(handle->failure);
	return std::move(handle->listing);
}

// Under the mutex, of one that is listed.
void TreeListing::forget(const Handle &handle)
{
	order_.erase(handle->at);
	listed_--;
	items_ -= handle->listing.items.size();
}

void TreeListing::drop(const Handle &handle)
{
	std::lock_guard guard(mutex_);
	std::vector<Handle> all{handle};
	while (!all.empty()) {
		const Handle last = all.back();
		all.pop_back();
		last->is_dropped = true;
		if (last->state == Directory::State::waiting)
			order_.erase(last->at);
		if (last->state != Directory::State::listed)
			continue;
		forget(last);
		for (const Handle &below : last->listing.below)
			if (below)
				all.push_back(below);
		last->listing = {};
	}
	wake_threads();
}

void TreeListing::wake_threads()
{
	if (idle_ > 0 && listed_ <= most_listed / 2 && items_ <= most_items / 2)
		has_room_.notify_all();
}

// A directory that is listed and not taken is open.  Where few files may be open, the walker needs the
// descriptors for the directories that it is in, and no thread is started.
void TreeListing::start_threads()
{
	if (file_limit() < 16 * most_listed)
		return;
	const std::size_t cores = usable_cores();
	if (cores > 1)
		threads_.start(std::min(cores, most_threads) - 1, [this] { run(); });
}

TreeListing::Handle TreeListing::next_waiting()
{
	if (listed_ >= most_listed || items_ >= most_items)
		return nullptr;
	for (const Handle &handle : order_)
		if (handle->state == Directory::State::waiting)
			return handle;
	return nullptr;
}

void TreeListing::do_work(const Handle &handle, std::unique_lock<std::mutex> &lock)
{
	handle->state = Directory::State::working;
	lock.unlock();
	try {
		handle->listing = list_one(open_directory_at(handle->parent->fd(), handle->name));
	} catch (...) {
		handle->failure = std::current_exception();
	}
	handle->parent.reset();
	lock.lock();
	handle->state = Directory::State::listed;
	if (handle->is_dropped) {
		order_.erase(handle->at);
		return;
	}
	enter(handle->listing, std::next(handle->at));
	listed_++;
	items_ += handle->listing.items.size();
	if (is_walker_waiting_)
		listed_one_.notify_one();
	wake_threads();
}

void TreeListing::run()
{
	std::unique_lock lock(mutex_);
	while (!threads_.is_stopped()) {
		const Handle handle = next_waiting();
		if (!handle) {
			idle_++;
			has_room_.wait(lock);
			idle_--;
			continue;
		}
		do_work(handle, lock);
	}
}

} // namespace dig
