// Lists the directories of a tree in the order of a walk, and stats what is in them, by threads
// that go ahead of the walker.
//
// The walker takes directories in depth-first order, and drops those that it does not enter.  When a
// directory is listed, the directories in it are known, and threads list the nearest of them.  The
// threads are started after 64 directories: for fewer they cost more than they save.  They stop when
// enough is listed that the walker has not taken yet.  A directory that no thread has begun is listed
// by the walker itself.
#ifndef DIG_TREE_LISTING_H
#define DIG_TREE_LISTING_H

#include <condition_variable>
#include <exception>
#include <list>
#include <memory>
#include <vector>

#include "libdig/os/directory.h"
#include "libdig/os/workers.h"

namespace dig {

class TreeListing {
public:
	struct Directory;
	using Handle = std::shared_ptr<Directory>;

	struct Item {
		enum class State : std::uint8_t {
			unknown, // no thread has looked, or it has failed
			gone,    // since it was listed
			known
		};
		State state = State::unknown;
		FileStat stat;
	};
	struct Listing {
		std::shared_ptr<const File> directory;
		FileStat stat;
		DirectoryList items;       // sorted, each with its type, if it was still there
		std::vector<Item> looked;  // by item; empty for a directory with very many
		std::vector<Handle> below; // by item; nothing but for directories
		bool has(std::string_view name) const;
		// Of a directory with very many names, items are only the next ones.
		bool has_more = false;
	};

	TreeListing() = default;
	// Its end is that of the threads; handles are of no use after it.
	TreeListing(const TreeListing &) = delete;

	// Of a directory where a walk begins.
	Listing list(File directory);
	// Replaces the items of the listing by the next ones, whose keys come behind `after`.  The handles
	// of the old ones must have been taken or dropped.
	void go_on(Listing &listing, std::string_view after);
	// Of a directory below; once for each handle.  Throws the SystemError of opening or listing it.
	Listing take(const Handle &handle);
	// The walker will take neither the directory nor what is below it.
	void drop(const Handle &handle);

private:
	using Order = std::list<Handle>;

	static Listing list_one(File directory);
	static void fill(Listing &listing, DirectoryPart part);
	// These are called under the mutex; do_work() releases it while it lists.
	void do_work(const Handle &handle, std::unique_lock<std::mutex> &lock);
	void enter(Listing &listing, Order::iterator where);
	void forget(const Handle &handle);
	void wake_threads();
	Handle next_waiting();
	void start_threads();
	void run();
	void wake_all();

	std::mutex mutex_;
	std::condition_variable listed_one_, has_room_;
	bool is_walker_waiting_ = false;
	std::size_t idle_ = 0; // threads
	Order order_;                       // depth first, without those that were taken or dropped
	std::uint64_t taken_ = 0;
	std::size_t listed_ = 0, items_ = 0; // of those in order_
	Workers threads_{[this] { wake_all(); }};
};

} // namespace dig

#endif
