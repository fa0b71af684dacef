// The entries of a state that are wanted: all of it, or what is at and below some paths.
#ifndef DIG_SELECTION_H
#define DIG_SELECTION_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/store/store.h"

namespace dig {

class Selection {
public:
	// Without paths, all of the manifest.  state is what messages call it.
	Selection(Store &store, const TreeRoot &manifest, std::vector<std::string> paths, std::string state);

	// Calls each with every entry once, in the order of paths; the same each time.  Costs a walk
	// through the nodes that hold them.  Error (128) for a path that is not in the manifest, and
	// CorruptError for entries that are out of order.  Ends when a signal has come.
	void walk(const std::function<void(const Entry &)> &each) const;

private:
	Store &store_;
	TreeRoot manifest_;
	std::vector<std::string> paths_; // in order, none below another one
	std::string state_;
};

// Finds entries that lie below a file or a symlink, as only a forged manifest has them.
class ConflictCheck {
public:
	// Of all entries, in the order of paths.  CorruptError for one that lies below another one.
	void add(const Entry &entry);

private:
	std::string last_;
	std::vector<std::size_t> above_; // sizes of paths that last_ begins with, or is
};

} // namespace dig

#endif
