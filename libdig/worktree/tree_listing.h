// Lists the directories of a tree in the order of a walk, and stats what is in them, by threads
// that go ahead of the walker.
//
// The walker takes directories in depth-first order and drops those that it does not enter.  What
// it will come to is known as soon as a directory is listed; threads take the nearest of that.  They
// are started once the walker has been through so many directories that they pay, and stop at a
// bound of directories and items that nobody has taken yet.  A walker that comes to a directory
// before them lists it itself.
#ifndef DIG_TREE_LISTING_H
#define DIG_TREE_LISTING_H

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
			unknown, // nobody looked, or looking failed
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
	// The items whose key comes behind `after`, in the place of those that the listing has, of which
	// none is to be taken any more.
	void go_on(Listing &listing, std::string_view after);
	// Of a directory below; once each.  Throws the SystemError that was met with it.
	Listing take(const Handle &handle);
	// Neither the directory nor what is below it will be taken.
	void drop(const Handle &handle);

private:
	using Order = std::list<Handle>;

	static Listing list_one(File directory);
	static void fill(Listing &listing, DirectoryPart part);
	// These under the mutex, which the first one lets go of meanwhile.
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
